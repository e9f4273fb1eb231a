"""The statements behind status callbacks, each for a whole batch. What a callback means is `core.carrier_words`."""

# Whoever moves several messages locks them in the order of their ids, so that no two wait for each other. A row that
# somebody else holds is left out: one that is held for long must not keep the callbacks of all others waiting.
HOLD_FREE = """
SELECT m.id, m.public_id, m.clinic_id, m.state, m.carrier_rank, m.carrier_sid, m.error_code, m.attempts
FROM reminders_message m WHERE m.public_id = ANY (%(public_ids)s::uuid[])
ORDER BY m.id FOR NO KEY UPDATE SKIP LOCKED
"""

# The same for one callback that waits for its row.
HOLD = HOLD_FREE.replace(" SKIP LOCKED", "")

WHICH_EXIST = "SELECT m.public_id FROM reminders_message m WHERE m.public_id = ANY (%(public_ids)s::uuid[])"

# A row that somebody holds for longer than this is an error for the carrier to see, and to come back from.
WAIT_BRIEFLY = "SET LOCAL lock_timeout = '5s'"

KEEP_EVENTS = """
INSERT INTO reminders_carrierevent (clinic_id, message_id, carrier_sid, status, error_code, received_at, applied)
SELECT e.clinic_id, e.message_id, e.carrier_sid, e.status, e.error_code, %(now)s, e.applied
FROM unnest(
    %(clinics)s::bigint[], %(messages)s::bigint[], %(sids)s::text[], %(statuses)s::text[], %(codes)s::int[],
    %(applied)s::boolean[]
) AS e(clinic_id, message_id, carrier_sid, status, error_code, applied)
"""

# The rows are held, so what was judged still holds.
MOVE = """
UPDATE reminders_message m
SET state = w.state, carrier_rank = w.rank, carrier_sid = w.carrier_sid, error_code = w.error_code, reason = w.reason,
    accepted_at = COALESCE(m.accepted_at, %(now)s), changed_at = %(now)s
FROM unnest(
    %(ids)s::bigint[], %(states)s::text[], %(ranks)s::int[], %(sids)s::text[], %(codes)s::int[], %(reasons)s::text[]
) AS w(id, state, rank, carrier_sid, error_code, reason)
WHERE m.id = w.id
"""
