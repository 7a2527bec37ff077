-- Tags are one word however they are written (`ＶＩＰ`, `VIP `): what was kept as it was written follows
-- that rule. Nobody joins or leaves an audience by it: a friend does when their tags are next told.
-- (What Postgres can't bring in one form, as it is no UTF-8, stays.)
do $$
begin
    if current_setting('server_encoding') <> 'UTF8' then
        return;
    end if;
    update audiences
    set rule = jsonb_set(
        rule, '{tag}', to_jsonb(left(btrim(normalize(rule ->> 'tag', NFKC), E' \t\r\n'), 64))
    )
    where kind = 'tag' and rule ->> 'tag' <> btrim(normalize(rule ->> 'tag', NFKC), E' \t\r\n')
        and btrim(normalize(rule ->> 'tag', NFKC), E' \t\r\n') <> '';
    with other as (
        delete from tags
        where tag <> btrim(normalize(tag, NFKC), E' \t\r\n')
            and btrim(normalize(tag, NFKC), E' \t\r\n') <> ''
        returning channel, friend, tag, tagged_at
    )
    insert into tags (channel, friend, tag, tagged_at)
    select channel, friend, left(btrim(normalize(tag, NFKC), E' \t\r\n'), 64), min(tagged_at)
    from other
    group by 1, 2, 3
    on conflict do nothing;
end
$$;
