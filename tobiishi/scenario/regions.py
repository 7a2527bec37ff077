"""Prefectures, by the names that people write and by the codes that LINE uses.

https://developers.line.biz/en/reference/messaging-api/#narrowcast-demographic-filter
"""

from __future__ import annotations

import re

_PREFECTURES = """
    北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県
    東京都 神奈川県 新潟県 富山県 石川県 福井県 山梨県 長野県 岐阜県 静岡県 愛知県 三重県
    滋賀県 京都府 大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 徳島県
    香川県 愛媛県 高知県 福岡県 佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県
"""

_CODES: dict[str, str] = {}
for _number, _name in enumerate(_PREFECTURES.split(), start=1):
    _CODES[_name] = f"jp_{_number:02}"
    # 北海道 is never called 北海; the others go with or without 都府県.
    if _name != "北海道":
        _CODES[_name[:-1]] = f"jp_{_number:02}"


def region_code(region: str) -> str:
    """The code of a prefecture however it is written; any other region as it is."""
    return _CODES.get(region.strip(), region.strip())


def is_known_region(region: str) -> bool:
    """Whether it is a prefecture, or has the form of LINE's codes: `jp_13`, `tw_02`."""
    return re.fullmatch(r"[a-z]{2}_[0-9]{2}", region_code(region)) is not None
