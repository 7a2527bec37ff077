-- name: numbered
-- The numbers that a friend's links have in a message, in the order they were given; no id where a
-- link was never sent before.
select given.kind, given.url, links.id, friends.number
from unnest(:kinds::text[], :urls::text[]) with ordinality as given (kind, url, place)
join friends on friends.channel = :channel and friends.friend = :friend
left join links on links.channel = :channel and links.scenario = :scenario
    and links.message = :message and links.kind = given.kind and links.url_md5 = md5(given.url)
order by given.place;

-- name: add
-- Another friend's message may have added the same link just now: then it is returned, not added.
-- In one order, so that no two wait for each other.
insert into links (channel, scenario, message, kind, url)
select :channel, :scenario, :message, given.kind, given.url
from unnest(:kinds::text[], :urls::text[]) as given (kind, url)
order by given.kind, given.url
on conflict (channel, scenario, message, kind, url_md5) do update set kind = excluded.kind
returning kind, url, id;

-- name: sent^
-- A link, and the friend it was sent to, if they are of one channel.
select links.channel, friends.friend, links.scenario, links.message, links.url
from links join friends using (channel)
where links.id = :id and friends.number = :number and links.kind = :kind;
