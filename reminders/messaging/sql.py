"""The only hand-written SQL: how a message row moves while it is sent. Read top to bottom, it is the state diagram.

Leases and pacing use `clock_timestamp()`, the database's unmoved time; what is due uses the product's clock (`now`).
Every statement is a compare-and-set: it names the state and, where a worker holds the row, the fence it must hold.
"""

# One bucket of SMS parts per sender. A sender's row is locked while its messages are claimed, so any number of
# schedulers may run: the second one skips the sender. The bucket may go below zero by the last multi-part text.
CLAIM_DUE = """
WITH bucket AS (
    SELECT s.id, LEAST(
        GREATEST(s.parts_per_second, 1),
        s.allowance + s.parts_per_second * GREATEST(0, EXTRACT(EPOCH FROM clock_timestamp() - s.allowance_at))
    )::double precision AS parts
    FROM reminders_sender s
    WHERE (s.paused_until IS NULL OR s.paused_until <= clock_timestamp())
      AND EXISTS (
          SELECT 1 FROM reminders_message m
          WHERE m.sender_id = s.id AND m.state = 'scheduled' AND m.due_at <= %(now)s
      )
    FOR UPDATE OF s SKIP LOCKED
), queue AS (
    SELECT m.id, m.sender_id, m.segments, b.parts,
           SUM(m.segments) OVER (PARTITION BY m.sender_id ORDER BY m.priority, m.due_at, m.id) - m.segments AS before
    FROM bucket b
    CROSS JOIN LATERAL (
        SELECT id, sender_id, segments, priority, due_at FROM reminders_message
        WHERE sender_id = b.id AND state = 'scheduled' AND due_at <= %(now)s
        ORDER BY priority, due_at, id
        LIMIT %(limit)s
    ) m
), chosen AS (
    SELECT m.id, q.sender_id, q.segments FROM queue q JOIN reminders_message m ON m.id = q.id
    WHERE q.before + 1 <= q.parts
    FOR UPDATE OF m SKIP LOCKED
), spent AS (
    UPDATE reminders_sender s
    SET allowance = b.parts - COALESCE((SELECT SUM(c.segments) FROM chosen c WHERE c.sender_id = s.id), 0),
        allowance_at = clock_timestamp()
    FROM bucket b WHERE b.id = s.id
)
UPDATE reminders_message m
SET state = 'claimed', fence = m.fence + 1, changed_at = %(now)s,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
FROM chosen c
WHERE m.id = c.id AND m.state = 'scheduled'
RETURNING m.id, m.fence, m.priority
"""

# What a worker must know to judge a claimed row. Consent is the newest decision about this phone and channel.
INSPECT = """
SELECT m.id, m.fence, m.public_id, m.channel, m.to_number, m.body, m.quiet_exempt, m.due_at, m.expires_at,
       m.unknown_policy, m.attempts, s.number AS sender_number, c.is_paused, c.quiet_start, c.quiet_end,
       COALESCE(NULLIF(p.timezone, ''), c.timezone) AS timezone
FROM unnest(%(ids)s::bigint[], %(fences)s::int[]) AS held(id, fence)
JOIN reminders_message m ON m.id = held.id AND m.fence = held.fence AND m.state = 'claimed'
JOIN reminders_sender s ON s.id = m.sender_id
JOIN reminders_clinic c ON c.id = m.clinic_id
LEFT JOIN reminders_patient p ON p.id = m.patient_id
"""

# The commit point: past this statement a create may start; before it, a cancel or an opt-out still wins.
CONSENT_HOLDS = """
(m.consent_rule = 'none' OR COALESCE((
    SELECT k.decision FROM reminders_consentrecord k
    WHERE k.clinic_id = m.clinic_id AND k.number = m.to_number AND k.channel = 'sms'
    ORDER BY k.id DESC LIMIT 1
), 'never') = ANY (CASE m.consent_rule WHEN 'granted' THEN ARRAY['granted'] ELSE ARRAY['granted', 'never'] END))
"""

COMMIT_TO_SEND = f"""
WITH committed AS (
    UPDATE reminders_message m
    SET state = 'sending', attempts = m.attempts + 1, changed_at = %(now)s,
        lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
    FROM unnest(%(ids)s::bigint[], %(fences)s::int[]) AS held(id, fence)
    WHERE m.id = held.id AND m.fence = held.fence AND m.state = 'claimed'
      AND m.lease_until > clock_timestamp() AND m.expires_at > %(now)s
      AND {CONSENT_HOLDS}
    RETURNING m.id, m.clinic_id, m.attempts
), logged AS (
    INSERT INTO reminders_deliveryattempt (clinic_id, message_id, number, started_at, outcome, carrier_sid)
    SELECT clinic_id, id, attempts, %(now)s, '', '' FROM committed
)
SELECT id FROM committed
"""  # noqa: S608  # the inserted part is the constant above

# Rows that a worker held and the commit point refused: expired or without consent. Anything else lost its lease.
DISMISS = f"""
UPDATE reminders_message m
SET state = CASE WHEN m.expires_at <= %(now)s THEN 'expired' ELSE 'suppressed' END,
    reason = CASE WHEN m.expires_at <= %(now)s THEN 'found_past_expiry' ELSE 'no_consent' END,
    changed_at = %(now)s, lease_until = NULL
FROM unnest(%(ids)s::bigint[], %(fences)s::int[]) AS held(id, fence)
WHERE m.id = held.id AND m.fence = held.fence AND m.state = 'claimed'
  AND (m.expires_at <= %(now)s OR NOT {CONSENT_HOLDS})
"""  # noqa: S608

# A claimed row that must wait (quiet hours, a paused clinic) goes back with a later due time.
PUT_BACK = """
UPDATE reminders_message m
SET state = 'scheduled', due_at = held.due_at, changed_at = %(now)s, lease_until = NULL
FROM unnest(%(ids)s::bigint[], %(fences)s::int[], %(due)s::timestamptz[]) AS held(id, fence, due_at)
WHERE m.id = held.id AND m.fence = held.fence AND m.state = 'claimed'
"""

# What the carrier answered, for a whole batch. A callback that overtook us has already moved the row: then no change.
SETTLE = """
WITH answer AS (
    SELECT * FROM unnest(
        %(ids)s::bigint[], %(fences)s::int[], %(states)s::text[], %(reasons)s::text[], %(sids)s::text[],
        %(codes)s::int[], %(due)s::timestamptz[]
    ) AS a(id, fence, state, reason, sid, code, due_at)
), settled AS (
    UPDATE reminders_message m
    SET state = a.state, reason = a.reason, carrier_sid = a.sid, error_code = a.code,
        due_at = COALESCE(a.due_at, m.due_at), changed_at = %(now)s, lease_until = NULL,
        accepted_at = CASE WHEN a.state = 'accepted' THEN %(now)s ELSE m.accepted_at END
    FROM answer a
    WHERE m.id = a.id AND m.fence = a.fence AND m.state = 'sending'
    RETURNING m.id, m.attempts
), logged AS (
    UPDATE reminders_deliveryattempt t
    SET ended_at = %(now)s, outcome = a.state, error_code = a.code, carrier_sid = a.sid
    FROM answer a JOIN reminders_message m ON m.id = a.id
    WHERE t.message_id = a.id AND t.number = m.attempts AND t.ended_at IS NULL
)
SELECT id FROM settled
"""

# Leases that ended: `claimed` provably never left and goes back; `sending` may have left and waits for evidence,
# unless its policy says that lost is worse than twice.
SWEEP_LEASES = """
WITH ended AS (
    SELECT id FROM reminders_message
    WHERE state IN ('claimed', 'sending') AND lease_until < clock_timestamp()
    ORDER BY lease_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE reminders_message m
SET state = CASE
        WHEN m.state = 'claimed' THEN 'scheduled'
        WHEN m.unknown_policy = 'resend' AND m.attempts < %(resend_limit)s THEN 'scheduled'
        ELSE 'ambiguous' END,
    reason = CASE WHEN m.state = 'sending' THEN 'lease_ended' ELSE m.reason END,
    fence = m.fence + 1, changed_at = %(now)s, lease_until = NULL
FROM ended WHERE m.id = ended.id
RETURNING m.id, m.state
"""

# The carrier's word about one message: rank only rises, and our own id in the callback heals what was unknown.
RECORD_STATUS = """
UPDATE reminders_message m
SET state = %(state)s, carrier_rank = %(rank)s, carrier_sid = %(sid)s, changed_at = %(now)s, lease_until = NULL,
    error_code = COALESCE(%(code)s, m.error_code), reason = %(reason)s,
    accepted_at = COALESCE(m.accepted_at, %(now)s)
WHERE m.public_id = %(public_id)s AND m.carrier_rank < %(rank)s AND m.carrier_sid IN ('', %(sid)s)
  AND (m.state = ANY (%(from_states)s) OR (m.state IN ('scheduled', 'claimed') AND m.attempts > 0))
RETURNING m.id
"""
