"""Why a friend got a message, or did not: the templates.

Codes with a dot are parts of sentences. Those of `fact` end in Japanese so that ため or こと can
follow.
"""

from __future__ import annotations

from collections.abc import Mapping

from tobiishi.words.template import Template

WHY: Mapping[str, Template] = {
    # --- moments, places in time
    "when.first": Template(ja="{at} {clock}（{zone}）", en="on {at} at {clock} ({zone})"),
    "when.full": Template(ja="{at} {clock}", en="on {at} at {clock}"),
    "when.day": Template(ja="{at:day} {clock}", en="on {at:day} at {clock}"),
    "when.same_day": Template(ja="同じ日の {clock}", en="the same day at {clock}"),
    "when.next_day": Template(
        ja="翌日の {at:day} {clock}", en="the next day, on {at:day} at {clock}"
    ),
    "when.later": Template(
        ja="{days}日後の {at:day} {clock}", en="{days} days later, on {at:day} at {clock}"
    ),
    "zone.japan": Template(ja="日本時間", en="Japan time"),
    "zone.named": Template(ja="{name} 時間", en="{name} time"),
    # --- the friend
    "friend.named": Template(ja="{name}さん（{id}）", en="{name} ({id})"),
    "friend.unnamed": Template(ja="{id} さん", en="{id}"),
    # --- how a journey began
    "entered": Template(
        ja="{friend}は {when}に{cause}シナリオ「{scenario}」（バージョン{version}、{entry}回目）に"
        "入りました。",
        en="{friend} entered the scenario “{scenario}” (version {version}, for the {entry:nth} "
        "time) {when}, {cause}.",
    ),
    "entered_briefly": Template(
        ja="{when}に{cause}シナリオ「{scenario}」（バージョン{version}、{entry}回目）に入りました。",
        en="They entered the scenario “{scenario}” (version {version}, for the {entry:nth} time) "
        "{when}, {cause}.",
    ),
    "cause.added": Template(ja="友だち追加で", en="when they added the channel as a friend"),
    "cause.added_by": Template(
        ja="友だち追加（追加経路「{route}」）で",
        en="when they added the channel as a friend by the route “{route}”",
    ),
    "cause.unblocked": Template(ja="ブロック解除で", en="when they unblocked the channel"),
    "cause.unblocked_by": Template(
        ja="ブロック解除（追加経路「{route}」）で",
        en="when they unblocked the channel, by the route “{route}”",
    ),
    "cause.joined": Template(
        ja="オーディエンス「{audience}」に入ったこと（{reason}）で",
        en="when they joined the audience “{audience}” ({reason})",
    ),
    "cause.enrolled": Template(
        ja="オーディエンス「{audience}」にすでに入っている人の一括登録で",
        en="with all who were in the audience “{audience}” already",
    ),
    "cause.by_hand": Template(
        ja="手動（理由: {reason}）で", en="by hand, for the reason “{reason}”"
    ),
    "cause.restored": Template(
        ja="（きっかけはバックアップからの復元で失われました）",
        en="on an occasion that was lost when a backup was restored",
    ),
    "cause.other": Template(ja="（きっかけの記録: {words}）", en="as the record says: {words}"),
    # --- why somebody joined an audience, or left it
    "reason.uploaded": Template(ja="リストのアップロード", en="by an uploaded list"),
    "reason.by_api": Template(ja="API による登録", en="through the API"),
    "reason.removed_by_api": Template(ja="API による解除", en="taken out through the API"),
    "reason.paused_by_api": Template(ja="API による一時停止", en="through the API"),
    "reason.paused_at_terminal": Template(ja="コマンドによる一時停止", en="at the terminal"),
    "reason.tag": Template(ja="タグ「{tag}」", en="by the tag “{tag}”"),
    "reason.route": Template(ja="追加経路「{route}」", en="added by the route “{route}”"),
    "reason.clicked": Template(
        ja="メッセージ「{message}」のリンク {url} をクリック",
        en="clicked {url} in the message “{message}”",
    ),
    "reason.pressed": Template(
        ja="メッセージ「{message}」のボタンをタップ",
        en="pressed a button of the message “{message}”",
    ),
    "reason.replied": Template(
        ja="メッセージ「{message}」のあとにトークで返信",
        en="wrote in the chat after the message “{message}”",
    ),
    "reason.watched": Template(
        ja="メッセージ「{message}」の動画を視聴", en="watched the video of the message “{message}”"
    ),
    "reason.fetched": Template(
        ja="メッセージ「{message}」の画像を表示", en="fetched an image of the message “{message}”"
    ),
    "reason.visited": Template(ja="ページ {url} を閲覧", en="viewed the page {url}"),
    "reason.put_in_cart": Template(ja="かごに入れた", en="put something into the cart"),
    "reason.purchased": Template(ja="購入", en="made a purchase"),
    "reason.did": Template(ja="サイトでの行動「{event}」", en="did “{event}” on the site"),
    "reason.at_first": Template(
        ja="オーディエンスの作成時に条件を満たしていた", en="met its rule when it was made"
    ),
    "reason.new_rule": Template(
        ja="オーディエンスの新しい条件を満たさなくなった", en="does not meet its new rule"
    ),
    "reason.look_back": Template(ja="対象期間の経過", en="its look-back is over"),
    "reason.met": Template(ja="条件を満たした", en="met its condition"),
    "reason.met_by": Template(
        ja="オーディエンス「{audience}」の変化で条件を満たした",
        en="met its condition, by the audience “{audience}”",
    ),
    "reason.unmet": Template(ja="条件を満たさなくなった", en="met its condition no longer"),
    "reason.unmet_by": Template(
        ja="オーディエンス「{audience}」の変化で条件を満たさなくなった",
        en="met its condition no longer, by the audience “{audience}”",
    ),
    "reason.other": Template(ja="{words}", en="{words}"),
    # --- branches
    "went": Template(
        ja="{when}に、{because}、{way}へ進みました。", en="They went {way} {when}, {because}."
    ),
    "went_past": Template(
        ja="{when}に、{because}、どの分岐にも入らずに先へ進みました。",
        en="They took none of the ways of a branch {when}, {because}, and went on.",
    ),
    "went_unknown": Template(
        ja="{when}に{way}へ進みましたが、理由は記録に残っていません。",
        en="They went {way} {when}; why is not known any more.",
    ),
    "way.sends": Template(ja="「{message}」の分岐", en="the way that sends “{message}”"),
    "way.others": Template(ja="それ以外の人の分岐", en="the way of all the others"),
    "way.others_send": Template(
        ja="それ以外の人の分岐（「{message}」）",
        en="the way of all the others, which sends “{message}”,",
    ),
    "way.number": Template(ja="{number}番目の分岐", en="the {number:nth} way of a branch"),
    "because.one": Template(ja="{fact}ため", en="because {fact}"),
    "because.many": Template(ja="{facts:こと、}ことから", en="because {facts: and }"),
    "fact.in": Template(
        ja="オーディエンス「{audience}」に入っていた", en="they were in the audience “{audience}”"
    ),
    "fact.in_since": Template(
        ja="オーディエンス「{audience}」に入っていた（{since}から、{reason}）",
        en="they were in the audience “{audience}” (joined {since}: {reason})",
    ),
    "fact.not_in": Template(
        ja="オーディエンス「{audience}」に入っていなかった",
        en="they were not in the audience “{audience}”",
    ),
    "fact.not_in_yet": Template(
        ja="オーディエンス「{audience}」にまだ入っていなかった（入ったのは{joined}、{reason}）",
        en="they were not in the audience “{audience}” yet (they joined it {joined}: {reason})",
    ),
    "fact.not_in_any_more": Template(
        ja="オーディエンス「{audience}」にもう入っていなかった（{left}に外れた、{reason}）",
        en="they were not in the audience “{audience}” any more (they left it {left}: {reason})",
    ),
    "fact.is": Template(ja="{attribute}が{value}だった", en="their {attribute} was {value}"),
    "fact.is_not": Template(
        ja="{attribute}が{value}ではなかった", en="their {attribute} was not {value}"
    ),
    "fact.not_known": Template(
        ja="{attribute}が分からなかった（条件は{value}）",
        en="their {attribute} was not known (the condition is {value})",
    ),
    "fact.met": Template(
        ja="条件「{condition}」に当てはまった", en="the condition “{condition}” was met"
    ),
    "fact.not_met": Template(
        ja="条件「{condition}」に当てはまらなかった", en="the condition “{condition}” was not met"
    ),
    "fact.undecided": Template(
        ja="条件「{condition}」に当てはまるか分からなかった",
        en="whether the condition “{condition}” was met was not known",
    ),
    "attribute.gender": Template(ja="性別", en="gender"),
    "attribute.age": Template(ja="年齢", en="age"),
    "attribute.region": Template(ja="地域", en="region"),
    "attribute.os": Template(ja="スマートフォンの OS", en="phone"),
    "attribute.language": Template(ja="言語", en="language"),
    "attribute.own": Template(ja="属性「{name}」", en="attribute “{name}”"),
    "value.female": Template(ja="女性", en="female"),
    "value.male": Template(ja="男性", en="male"),
    "value.other": Template(ja="その他", en="other"),
    "value.ios": Template(ja="iOS", en="iOS"),
    "value.android": Template(ja="Android", en="Android"),
    "value.ages": Template(ja="{from}〜{to}歳", en="{from} to {to}"),
    "value.age_from": Template(ja="{from}歳以上", en="{from} or more"),
    "value.age_to": Template(ja="{to}歳以下", en="{to} or less"),
    "value.one_of": Template(ja="{values:・}", en="{values: or }"),
    "condition.in": Template(ja="『{audience}』に入っている", en="in {audience}"),
    "condition.is": Template(ja="{attribute}が{value}", en="{attribute} {value}"),
    "condition.all": Template(ja="{parts:、かつ}", en="{parts: and }"),
    "condition.any": Template(ja="（{parts:、または}）", en="({parts: or })"),
    "condition.not": Template(ja="（{part}）ではない", en="not ({part})"),
    # --- other steps
    "came_in_time": Template(
        ja="{when}に、待っていたオーディエンス「{audience}」に入っていたため、先へ進みました。",
        en="They went on {when}, because they were in the audience “{audience}”, for which the "
        "scenario waits.",
    ),
    "came_in_time_since": Template(
        ja="{when}に、待っていたオーディエンス「{audience}」に入っていたため（{since}から、"
        "{reason}）、先へ進みました。",
        en="They went on {when}, because they were in the audience “{audience}”, for which the "
        "scenario waits (joined {since}: {reason}).",
    ),
    "came_too_late": Template(
        ja="{when}まで待ちましたが、オーディエンス「{audience}」に入っていなかったため、期限後の"
        "分岐へ進みました。",
        en="They went the way of those who are too late {when}, because they were not in the "
        "audience “{audience}” by then.",
    ),
    "tagged": Template(
        ja="{when}にタグを変更しました（{tags}）。", en="Tags were changed {when}: {tags}."
    ),
    "left_out": Template(
        ja="{when}の時点で待つはずの日時が過ぎていたため、メッセージ{messages:、}を省きました。",
        en="Messages were left out {when}, as the moment to wait for was past: {messages:, }.",
    ),
    "left_out_steps": Template(
        ja="{when}の時点で待つはずの日時が過ぎていたため、次の待機までのステップを省きました。",
        en="The steps up to the next wait were left out {when}, as the moment to wait for was "
        "past.",
    ),
    "quoted": Template(ja="「{message}」", en="“{message}”"),
    "recorded": Template(
        ja="{when}の記録:「{words}」。", en="The record of what was done {when} says: “{words}”."
    ),
    # --- what became of a message
    "sent": Template(
        ja="{when}にメッセージ「{message}」を送信しました（LINE リクエスト ID {request_id}）。",
        en="The message “{message}” was sent {when} (LINE's request id is {request_id}).",
    ),
    "sent_without_id": Template(
        ja="{when}にメッセージ「{message}」を送信しました（LINE リクエスト ID は残っていません）。",
        en="The message “{message}” was sent {when} (LINE's request id is not kept).",
    ),
    "sent_late": Template(ja="予定は {due}でした。", en="It was due {due}."),
    "sent_after_tries": Template(
        ja="{when}の最初の試行から数えて{attempts}回目に LINE が受け付けました。",
        en="LINE accepted it at the {attempts:nth} try; the first was {when}.",
    ),
    "perhaps_sent": Template(
        ja="{when}にメッセージ「{message}」を LINE に渡そうとしましたが、受け付けられたか"
        "分かりません。届いた可能性があるため、もう一度送ることはしません。",
        en="The message “{message}” was perhaps sent {when}: LINE never answered clearly. It may "
        "have arrived, so that it is not sent again.",
    ),
    "refused": Template(
        ja="{when}に LINE がメッセージ「{message}」を拒否しました（LINE の返答:「{words}」）。",
        en="LINE refused the message “{message}” {when}, and answered: “{words}”.",
    ),
    "being_sent": Template(
        ja="メッセージ「{message}」は {when}から送信中で、LINE はまだ受け付けていません"
        "（{attempts}回試行）。",
        en="LINE was first asked to send the message “{message}” {when}, and has not accepted it "
        "yet (tries: {attempts}).",
    ),
    "being_sent_after": Template(
        ja="メッセージ「{message}」は {when}から送信中で、LINE はまだ受け付けていません"
        "（{attempts}回試行、最後の応答:「{words}」）。",
        en="LINE was first asked to send the message “{message}” {when}, and has not accepted it "
        "yet (tries: {attempts}; the last answer was “{words}”).",
    ),
    "skipped": Template(
        ja="{when}にメッセージ「{message}」の送信を見送りました（{reason}）。",
        en="The message “{message}” was skipped {when}: {reason}.",
    ),
    "skip.late": Template(ja="予定の {due}より遅れたため", en="it was late, being due {due}"),
    "skip.blocked": Template(
        ja="友だちがチャネルをブロックしていたため", en="the friend had blocked the channel"
    ),
    "skip.over": Template(
        ja="ジャーニーがその前に終わったため", en="the journey had ended before it"
    ),
    "skip.no_id": Template(ja="友だちの ID ではないため", en="the id is not the id of a friend"),
    "skip.again": Template(
        ja="1日続けて受け付けられず、新しいリトライキーで送り直すため",
        en="it was not accepted for a day and is tried again under another retry key",
    ),
    "skip.other": Template(ja="{words}", en="{words}"),
    "also_sent": Template(
        ja="このメッセージはほかにも{count}回送信しています（{times:、}）。",
        en="Other times that this message was sent to them: {count} ({times:, }).",
    ),
    # --- how a journey ended, or where it is
    "completed": Template(
        ja="{when}にシナリオを最後まで終えました。", en="They came to the scenario's end {when}."
    ),
    "left": Template(
        ja="{when}に、{how}、シナリオを途中で終了しました。",
        en="They left the scenario {when}, {how}.",
    ),
    "is_leaving": Template(
        ja="{how}、いま終了の手続き中です。これ以上は送信されません。",
        en="They are leaving the scenario, {how}: nothing more is sent.",
    ),
    "how.joined": Template(
        ja="オーディエンス「{audience}」に入ったため",
        en="because they joined the audience “{audience}”, which is an exit",
    ),
    "how.joined_by": Template(
        ja="オーディエンス「{audience}」に入ったため（{reason}）",
        en="because they joined the audience “{audience}” ({reason}), which is an exit",
    ),
    "how.left": Template(
        ja="オーディエンス「{audience}」から外れたため",
        en="because they left the audience “{audience}”, which is an exit",
    ),
    "how.left_by": Template(
        ja="オーディエンス「{audience}」から外れたため（{reason}）",
        en="because they left the audience “{audience}” ({reason}), which is an exit",
    ),
    "how.blocked": Template(ja="チャネルをブロックしたため", en="because they blocked the channel"),
    "how.refused": Template(
        ja="LINE がメッセージを拒否したため", en="because LINE refused a message"
    ),
    "how.stopped": Template(
        ja="停止されたため（{because}）", en="because the journey was stopped ({because})"
    ),
    "how.stopped_somehow": Template(
        ja="停止されたため（理由の記録はありません）",
        en="because the journey was stopped (why is not kept)",
    ),
    "stop.retired": Template(ja="シナリオの公開終了", en="the scenario was retired"),
    "stop.by_hand": Template(
        ja="手動での取りやめ、理由: {reason}", en="by hand, for the reason “{reason}”"
    ),
    "stop.forgotten": Template(ja="友だちの記録の削除", en="the friend is to be forgotten"),
    "stop.other": Template(ja="{words}", en="{words}"),
    "next": Template(
        ja="まだ途中で、次は {when}に{what}予定です。",
        en="They are on the way: {what} is due {when}.",
    ),
    "next_unknown": Template(
        ja="まだ途中ですが、次の予定はまだ記録されていません。",
        en="They are on the way; what comes next is not recorded yet.",
    ),
    "waits_for": Template(
        ja="まだ途中で、オーディエンス「{audience}」に入るのを {until}まで待っています。",
        en="They are on the way: it waits for them to join the audience “{audience}”, which is too "
        "late {until}.",
    ),
    "do.send": Template(ja="メッセージ「{message}」を送信する", en="the message “{message}”"),
    "do.branch": Template(ja="分岐を判定する", en="a branch"),
    "do.tag": Template(ja="タグを変更する", en="a change of tags"),
    "do.watch": Template(
        ja="オーディエンス「{audience}」を待ち始める", en="a wait for the audience “{audience}”"
    ),
    "do.end": Template(ja="シナリオを終える", en="the end"),
    "held": Template(
        ja="ただし送信は停止中です: {what}（{since}から、{reason}）。",
        en="Sends are held, however: {what} {since} ({reason}).",
    ),
    "hold.channel": Template(ja="チャネルの一時停止", en="the channel was paused"),
    "hold.scenario": Template(ja="シナリオの一時停止", en="the scenario was paused"),
    "hold.friend": Template(ja="この友だちへの一時停止", en="sends to this friend were paused"),
    "hold.quota": Template(
        ja="今月のメッセージ通数を使い切ったため", en="the month's messages were used up"
    ),
    "hold.token": Template(
        ja="LINE がアクセストークンを受け付けないため", en="LINE did not take the access token"
    ),
    # --- why not
    "not_sent": Template(
        ja="{friend}に、シナリオ「{scenario}」のメッセージ「{message}」は送信されていません。",
        en="{friend} has not got the message “{message}” of the scenario “{scenario}”.",
    ),
    "not_in_scenario": Template(
        ja="{friend}はシナリオ「{scenario}」に入ったことがありません。",
        en="{friend} has never been in the scenario “{scenario}”.",
    ),
    "never_in_any": Template(
        ja="{friend}はまだどのシナリオにも入っていません。",
        en="{friend} has not been in any scenario yet.",
    ),
    "no_scenarios": Template(ja="公開中のシナリオはありません。", en="There is no live scenario."),
    "too_many_scenarios": Template(
        ja="ほかに{count}件のシナリオがあります。シナリオを指定すると、その理由が分かります。",
        en="Scenarios besides these: {count}; ask about one of them by its name.",
    ),
    "not_in_version": Template(
        ja="この友だちが進むバージョン{version}には、メッセージ「{message}」がありません。",
        en="Version {version}, through which they go, does not have the message “{message}”.",
    ),
    "not_in_live_version": Template(
        ja="このメッセージはバージョン{version}にだけあり、公開中のバージョンにはありません。",
        en="That message is in version {version}, and not in the live one.",
    ),
    "on_other_way": Template(
        ja="メッセージ「{message}」はそれとは別の分岐にあります。",
        en="The message “{message}” is on another way.",
    ),
    "on_other_way_of_wait": Template(
        ja="メッセージ「{message}」は、待機の別の分岐にあります。",
        en="The message “{message}” is on the other way of that wait.",
    ),
    "not_yet": Template(
        ja="メッセージ「{message}」はそのあとのステップです。",
        en="The message “{message}” comes after that.",
    ),
    "ended_before": Template(
        ja="メッセージ「{message}」のステップはその先でした。",
        en="The message “{message}” would have come after that.",
    ),
    "not_known": Template(
        ja="それ以上の理由は、残っている記録からは分かりません。",
        en="What is kept does not tell why; so it is not known.",
    ),
    "blocked_since": Template(
        ja="{since}からチャネルをブロックしています。",
        en="They blocked the channel {since}.",
    ),
    "blocked": Template(
        ja="チャネルをブロックしています。いつからかは分かりません。",
        en="They have blocked the channel; since when is not known.",
    ),
    "retired": Template(
        ja="このシナリオは公開を終了しており、新しく入る人はいません。",
        en="The scenario is retired: nobody enters it.",
    ),
    "period_over": Template(
        ja="シナリオの期間は {until}に終わりました。", en="The scenario's period was over {until}."
    ),
    "period_to_come": Template(
        ja="シナリオの期間は {begins}に始まります。", en="The scenario's period begins {begins}."
    ),
    "outside_period": Template(
        ja="{when}に開始条件を満たしましたが、シナリオの期間外でした。",
        en="They met its start condition {when}, which was outside its period.",
    ),
    "started_otherwise": Template(
        ja="{when}に今の開始条件を満たしましたが、そのときのバージョン{version}の開始条件は別のもの"
        "でした。",
        en="They met what is its start condition now {when}, when version {version} had "
        "another one.",
    ),
    "never_joined": Template(
        ja="開始条件のオーディエンス「{audience}」に入ったことがありません。",
        en="They have never been in the audience “{audience}”, with which it starts.",
    ),
    "joined_before": Template(
        ja="開始条件のオーディエンス「{audience}」に入ったのは {joined}で、シナリオの最初の公開"
        "（{published}）より前です。あとから入った人だけが対象です（include_members なし）。",
        en="They joined the audience “{audience}”, with which it starts, {joined}, before it was "
        "first published {published}; only who joins after that enters (it has no "
        "include_members).",
    ),
    "joining_in_queue": Template(
        ja="オーディエンス「{audience}」に入ったことの処理がまだ済んでいません。",
        en="That they joined the audience “{audience}” is not handled yet.",
    ),
    "joining_stuck": Template(
        ja="オーディエンス「{audience}」に入ったことの処理に失敗しています（「{words}」）。",
        en="That they joined the audience “{audience}” can't be handled: “{words}”.",
    ),
    "enrolment_running": Template(
        ja="オーディエンス「{audience}」にすでに入っている人の一括登録が進行中です。",
        en="Those who were in the audience “{audience}” already are being enrolled.",
    ),
    "enrolment_paused": Template(
        ja="オーディエンス「{audience}」にすでに入っている人の一括登録は一時停止中です。",
        en="The enrolment of those who were in the audience “{audience}” already is paused.",
    ),
    "enrolment_cancelled": Template(
        ja="オーディエンス「{audience}」にすでに入っている人の一括登録は取り消されました。",
        en="The enrolment of those who were in the audience “{audience}” already was cancelled.",
    ),
    "added_before": Template(
        ja="シナリオの最初の公開（{published}）より前からの友だちです。そのあとに友だち追加した人が"
        "対象です。",
        en="They were a friend before it was first published {published}; it starts for those who "
        "are added after that.",
    ),
    "unblocked_only": Template(
        ja="{when}のブロック解除は、このシナリオでは友だち追加に数えません（unblocked なし）。",
        en="They unblocked the channel {when}, which does not count as an adding here (it has no "
        "unblocked).",
    ),
    "added_unseen": Template(
        ja="いつ友だち追加したかの記録は残っていないか、Tobiishi の導入前です。",
        en="When they added the channel is not kept any more, or was before Tobiishi was there.",
    ),
    "other_route": Template(
        ja="このシナリオは追加経路{routes:・}からの友だち追加で始まりますが、この友だちの"
        "追加経路は「{came}」です。",
        en="It starts for those who are added by the route {routes: or }; they came by “{came}”.",
    ),
    "no_route": Template(
        ja="このシナリオは追加経路{routes:・}からの友だち追加で始まりますが、この友だちの"
        "追加経路の記録がありません。",
        en="It starts for those who are added by the route {routes: or }; by which they came is "
        "not known.",
    ),
    "no_reentry": Template(
        ja="このシナリオに入れるのは一度だけです（reentry: never）。",
        en="A friend enters this scenario once only (reentry: never).",
    ),
    "reentry_after": Template(
        ja="もう一度入れるのは {after}からです（reentry: after_days {days}）。",
        en="They may enter again {after} or later (reentry: after_days {days}).",
    ),
    "reentry_open": Template(
        ja="開始条件をもう一度満たせば、また入ります。",
        en="They enter again when they meet its start condition again.",
    ),
    "rejoined": Template(
        ja="{joined}に開始条件のオーディエンス「{audience}」にまた入りましたが、"
        "新しいジャーニーは始まりませんでした。",
        en="They joined the audience “{audience}”, with which it starts, again {joined}, and no "
        "journey began.",
    ),
    "added_again": Template(
        ja="{when}にまた友だち追加しましたが、新しいジャーニーは始まりませんでした。",
        en="They added the channel again {when}, and no journey began.",
    ),
    "will_enter": Template(
        ja="前のジャーニーの終了を待って、もう一度入ります（{since}から待機中）。",
        en="They enter again once their former journey has ended; that was decided {since}.",
    ),
}
