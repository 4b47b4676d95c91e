"""Forty ways in which an event of the native door is bad, each with the code that it must be refused with.

Text, as JSON libraries would not write half of them (what breaks the whole document, such as a key given twice, is not
among them: that batch is refused whole); `$` stands for what makes an item unlike the others.
"""

from typing import Final

_WHO: Final = '"identifiers":{"user_id":"u-$"}'
_ID: Final = '"id":"bad-$"'
_DEEP: Final = '{"a":' * 40 + "1" + "}" * 40

GOOD: Final = '{"name":"Item Sent","id":"good-$",' + _WHO + ',"properties":{"n":"$"}}'

MISTAKES: Final[tuple[tuple[str, str], ...]] = (
    ("wrong_type", '"$"'),
    ("wrong_type", "17"),
    ("wrong_type", "null"),
    ("wrong_type", '["$"]'),
    ("unsupported_type", f'{{"type":"screen",{_ID},{_WHO}}}'),
    ("wrong_type", f'{{"type":7,{_ID},{_WHO}}}'),
    ("missing_field", f"{{{_ID},{_WHO}}}"),
    ("wrong_type", f'{{"name":17,{_ID},{_WHO}}}'),
    ("wrong_type", f'{{"name":"Item Sent","id":17,{_WHO}}}'),
    ("identifier_too_long", f'{{"name":"Item Sent","id":"{"x" * 101}",{_WHO}}}'),
    ("control_character", f'{{"name":"Item Sent","id":"a\\u0007$",{_WHO}}}'),
    ("unknown_field", f'{{"name":"Item Sent",{_ID},{_WHO},"is_staff":true}}'),
    ("unknown_field", f'{{"name":"Item Sent",{_ID},{_WHO},"traits":{{}}}}'),
    ("unknown_field", f'{{"type":"identify","name":"Item Sent",{_ID},{_WHO}}}'),
    ("missing_identifier", f'{{"name":"Item Sent",{_ID}}}'),
    ("missing_identifier", f'{{"name":"Item Sent",{_ID},"identifiers":{{}}}}'),
    ("wrong_type", f'{{"name":"Item Sent",{_ID},"identifiers":["u-$"]}}'),
    ("wrong_type", f'{{"name":"Item Sent",{_ID},"identifiers":{{"user_id":17}}}}'),
    ("blocked_identifier", f'{{"name":"Item Sent",{_ID},"identifiers":{{"user_id":"undefined"}}}}'),
    ("identifier_too_long", f'{{"name":"Item Sent",{_ID},"identifiers":{{"user_id":"{"x" * 300}"}}}}'),
    ("invalid_email", f'{{"name":"Item Sent",{_ID},"identifiers":{{"email":"nobody"}}}}'),
    ("not_one_address", f'{{"name":"Item Sent",{_ID},"identifiers":{{"email":"a@b.example, c@d.example"}}}}'),
    ("phone_without_country", f'{{"name":"Item Sent",{_ID},"identifiers":{{"phone":"11 91234-5678"}}}}'),
    ("unknown_field", f'{{"name":"Item Sent",{_ID},"identifiers":{{"shoe_size":"44"}}}}'),
    ("timezone_required", f'{{"name":"Item Sent",{_ID},{_WHO},"occurred_at":"2026-03-02T12:00:00"}}'),
    ("wrong_type", f'{{"name":"Item Sent",{_ID},{_WHO},"occurred_at":1764000000}}'),
    ("invalid_timestamp", f'{{"name":"Item Sent",{_ID},{_WHO},"occurred_at":"2026-02-30T12:00:00Z"}}'),
    ("timestamp_in_future", f'{{"name":"Item Sent",{_ID},{_WHO},"occurred_at":"2999-01-01T00:00:00Z"}}'),
    ("too_old", f'{{"name":"Item Sent",{_ID},{_WHO},"occurred_at":"2011-01-01T00:00:00Z"}}'),
    ("wrong_type", f'{{"name":"Item Sent",{_ID},{_WHO},"historical":"yes"}}'),
    ("missing_identifier", f'{{"type":"alias",{_ID},{_WHO}}}'),
    ("number_not_finite", f'{{"name":"Item Sent",{_ID},{_WHO},"properties":{{"a":1e999}}}}'),
    ("number_out_of_range", f'{{"name":"Item Sent",{_ID},{_WHO},"properties":{{"a":{"9" * 400}}}}}'),
    ("number_out_of_range", f'{{"name":"Item Sent",{_ID},{_WHO},"properties":{{"a":1e17}}}}'),
    ("nul_character", f'{{"name":"Item Sent",{_ID},{_WHO},"properties":{{"a":"\\u0000"}}}}'),
    ("missing_field", f'{{"type":"group",{_ID},{_WHO}}}'),
    ("json_too_deep", f'{{"name":"Item Sent",{_ID},{_WHO},"properties":{_DEEP}}}'),
    ("wrong_type", f'{{"name":"Item Sent",{_ID},{_WHO},"properties":"many"}}'),
    ("schema_violation", f'{{"name":"Order Placed",{_ID},{_WHO},"properties":{{"total":"much"}}}}'),
    ("unknown_schema_version", f'{{"name":"Order Placed",{_ID},{_WHO},"properties":{{"total":1}},"schema_version":9}}'),
)
