-- name: put!
insert into channels (channel, title, secret, access_token, api_base_url)
values (:channel, :title, :secret, :access_token, :api_base_url)
on conflict (channel) do update
set title = excluded.title,
    secret = excluded.secret,
    access_token = excluded.access_token,
    api_base_url = excluded.api_base_url;

-- name: get^
select channel, title, secret, access_token, api_base_url from channels where channel = :channel;

-- name: all
select channel, title, secret, access_token, api_base_url from channels order by channel;
