-- name: put!
insert into channels (channel, title, secret, access_token, api_base_url)
values (:channel, :title, :secret, :access_token, :api_base_url)
on conflict (channel) do update
set title = excluded.title,
    secret = excluded.secret,
    access_token = excluded.access_token,
    api_base_url = excluded.api_base_url;

-- name: get^
select channel, title, secret, access_token, api_base_url,
    login_channel_id, login_channel_secret, basic_id
from channels where channel = :channel;

-- name: secrets
select asked.channel, clock_timestamp() as now,
    (select secret from channels where channels.channel = asked.channel)
from unnest(:channels::text[]) as asked (channel);

-- name: all
select channel, title, secret, access_token, api_base_url,
    login_channel_id, login_channel_secret, basic_id
from channels order by channel;

-- name: put_login!
update channels
set login_channel_id = :login_channel_id, login_channel_secret = :login_channel_secret
where channel = :channel;

-- name: keep_basic_id!
update channels set basic_id = :basic_id where channel = :channel;

-- name: forget_quota!
delete from quotas where channel = :channel;
