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
    -- Not FOR UPDATE: that would skip a sender while any transaction, such as an import, inserts texts for it.
    FOR NO KEY UPDATE OF s SKIP LOCKED
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
    -- The state again: what another scheduler took since this statement began must not cost allowance.
    WHERE q.before + 1 <= q.parts AND m.state = 'scheduled'
    FOR NO KEY UPDATE OF m SKIP LOCKED
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

# What a worker must know to judge a claimed row. `unknown_tries` counts those that may have arrived, for the bound on
# sending again; a refusal or a failed connection is none.
INSPECT = """
SELECT m.id, m.fence, m.public_id, m.clinic_id, m.channel, m.to_number, m.body, m.quiet_exempt, m.expires_at,
       m.unknown_policy, m.attempts, m.consent_rule, s.number AS sender_number, c.is_paused,
       CASE m.unknown_policy WHEN 'resend' THEN (
           SELECT COUNT(*) FROM reminders_deliveryattempt t WHERE t.message_id = m.id AND t.outcome IN ('', 'unknown')
       ) ELSE 0 END AS unknown_tries,
       c.quiet_start, c.quiet_end, COALESCE(NULLIF(p.timezone, ''), c.timezone) AS timezone
FROM unnest(%(ids)s::bigint[], %(fences)s::int[]) AS held(id, fence)
JOIN reminders_message m ON m.id = held.id AND m.fence = held.fence AND m.state = 'claimed'
JOIN reminders_sender s ON s.id = m.sender_id
JOIN reminders_clinic c ON c.id = m.clinic_id
LEFT JOIN reminders_patient p ON p.id = m.patient_id
ORDER BY m.id
"""

# Decisions about a phone take turns (clinic.turns); a worker shares the turn while it passes the commit point, so that
# the consent it reads is the newest there is, also where an opt-out is being written at this moment. In order, so that
# two workers never wait for each other; before any message row is locked, as everywhere else.
SHARE_TURNS = """
SELECT pg_advisory_xact_lock_shared(turn) FROM (
    SELECT DISTINCT hashtextextended(topic, 0) AS turn FROM unnest(%(topics)s::text[]) AS topic ORDER BY turn
) AS turns
"""

CONSENT_HOLDS = """
(m.consent_rule = 'none' OR COALESCE((
    SELECT k.decision FROM reminders_consentrecord k
    WHERE k.clinic_id = m.clinic_id AND k.number = m.to_number AND k.channel = 'sms'
    ORDER BY k.id DESC LIMIT 1
), 'never') = ANY (CASE m.consent_rule WHEN 'granted' THEN ARRAY['granted'] ELSE ARRAY['granted', 'never'] END))
"""

# Rows of a batch are locked in the order of their ids, as whoever cancels several rows does: no two wait for each
# other.
HELD = """
held AS (
    SELECT m.id, h.due_at
    FROM unnest(%(ids)s::bigint[], %(fences)s::int[], %(due)s::timestamptz[]) AS h(id, fence, due_at)
    JOIN reminders_message m ON m.id = h.id AND m.fence = h.fence AND m.state = 'claimed'
    ORDER BY m.id FOR NO KEY UPDATE OF m
)
"""

# The commit point: past this statement a create may start; before it, a cancel or an opt-out still wins.
COMMIT_TO_SEND = f"""
WITH {HELD}, committed AS (
    UPDATE reminders_message m
    SET state = 'sending', attempts = m.attempts + 1, changed_at = %(now)s,
        lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
    FROM held
    WHERE m.id = held.id AND m.state = 'claimed' AND m.lease_until > clock_timestamp() AND m.expires_at > %(now)s
      AND {CONSENT_HOLDS}
    RETURNING m.id, m.clinic_id, m.attempts
), logged AS (
    INSERT INTO reminders_deliveryattempt (clinic_id, message_id, number, started_at, outcome, carrier_sid)
    SELECT clinic_id, id, attempts, %(now)s, '', '' FROM committed
)
SELECT id, attempts FROM committed
"""  # noqa: S608  # the inserted parts are the constants above

# Rows that a worker held and the commit point refused: expired or without consent. Anything else lost its lease.
DISMISS = f"""
WITH {HELD}
UPDATE reminders_message m
SET state = CASE WHEN m.expires_at <= %(now)s THEN 'expired' ELSE 'suppressed' END,
    reason = CASE WHEN m.expires_at <= %(now)s THEN 'found_past_expiry' ELSE 'no_consent' END,
    changed_at = %(now)s, lease_until = NULL
FROM held WHERE m.id = held.id AND m.state = 'claimed' AND (m.expires_at <= %(now)s OR NOT {CONSENT_HOLDS})
"""  # noqa: S608

# A claimed row that must wait (quiet hours, a paused clinic) goes back with a later due time, or expires where that is
# too late. One that no worker could be given keeps the time it was due.
PUT_BACK = f"""
WITH {HELD}
UPDATE reminders_message m
SET state = CASE WHEN held.due_at > m.expires_at THEN 'expired' ELSE 'scheduled' END,
    reason = CASE WHEN held.due_at > m.expires_at THEN 'found_past_expiry' ELSE m.reason END,
    due_at = COALESCE(held.due_at, m.due_at), changed_at = %(now)s, lease_until = NULL
FROM held WHERE m.id = held.id AND m.state = 'claimed'
"""  # noqa: S608

# What the carrier answered, for a whole batch. The number of the try is the fence here: only its worker can know how it
# went, however late it says so. A callback that overtook us has already moved the row: then only the log is completed.
# What proves never to have been processed waits again, unless it was withdrawn meanwhile or would be too late.
SETTLE = """
WITH answer AS (
    SELECT a.*, m.withdrawn, m.expires_at FROM unnest(
        %(ids)s::bigint[], %(tries)s::int[], %(states)s::text[], %(reasons)s::text[], %(outcomes)s::text[],
        %(sids)s::text[], %(codes)s::int[], %(due)s::timestamptz[]
    ) AS a(id, try, state, reason, outcome, sid, code, due_at)
    JOIN reminders_message m ON m.id = a.id
    ORDER BY a.id FOR NO KEY UPDATE OF m
), judged AS (
    SELECT a.*, a.state = 'scheduled' AND a.withdrawn <> '' AS is_withdrawn,
           a.state = 'scheduled' AND COALESCE(a.due_at, %(now)s) >= a.expires_at AS is_late
    FROM answer a
), settled AS (
    UPDATE reminders_message m
    SET state = CASE WHEN a.is_withdrawn THEN 'cancelled' WHEN a.is_late THEN 'expired' ELSE a.state END,
        reason = CASE WHEN a.is_withdrawn THEN a.withdrawn WHEN a.is_late THEN 'found_past_expiry' ELSE a.reason END,
        carrier_sid = a.sid, error_code = a.code, due_at = COALESCE(a.due_at, m.due_at), changed_at = %(now)s,
        lease_until = NULL, accepted_at = CASE WHEN a.state = 'accepted' THEN %(now)s ELSE m.accepted_at END
    FROM judged a
    WHERE m.id = a.id AND m.attempts = a.try AND (
        m.state = 'sending'
        OR (m.state = 'ambiguous' AND a.state <> 'ambiguous')
        OR (m.state IN ('scheduled', 'claimed', 'unresolved') AND a.state = 'accepted')
    )
    RETURNING m.id
), logged AS (
    UPDATE reminders_deliveryattempt t
    SET ended_at = %(now)s, outcome = a.outcome, error_code = a.code, carrier_sid = a.sid
    FROM answer a WHERE t.message_id = a.id AND t.number = a.try
)
SELECT id FROM settled
"""

# Leases that ended: `claimed` provably never left and goes back; `sending` may have left and waits for evidence,
# unless its policy says that lost is worse than twice.
SWEEP_LEASES = """
WITH ended AS (
    SELECT id FROM reminders_message
    WHERE state IN ('claimed', 'sending') AND lease_until < clock_timestamp()
    ORDER BY lease_until LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE reminders_message m
SET state = CASE
        WHEN m.state = 'claimed' THEN 'scheduled'
        WHEN m.unknown_policy = 'resend' AND m.withdrawn = '' AND m.expires_at > %(now)s AND %(resend_limit)s > (
            SELECT COUNT(*) FROM reminders_deliveryattempt t WHERE t.message_id = m.id AND t.outcome IN ('', 'unknown')
        ) THEN 'scheduled'
        ELSE 'ambiguous' END,
    reason = CASE WHEN m.state = 'sending' THEN 'lease_ended' ELSE m.reason END,
    fence = m.fence + 1, changed_at = %(now)s, lease_until = NULL
FROM ended WHERE m.id = ended.id
RETURNING m.id, m.state
"""

EXPIRE_OVERDUE = """
UPDATE reminders_message m SET state = 'expired', reason = 'found_past_expiry', changed_at = %(now)s
FROM (
    SELECT id FROM reminders_message WHERE state = 'scheduled' AND due_at <= %(now)s AND expires_at <= %(now)s
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
) AS overdue
WHERE m.id = overdue.id
"""

# The carrier's word about one message: rank only rises, and our own id in the callback heals what was unknown. A word
# of the same rank adds nothing but an error code that came without one before.
RECORD_STATUS = """
UPDATE reminders_message m
SET state = %(state)s, carrier_rank = %(rank)s, carrier_sid = %(sid)s, changed_at = %(now)s, lease_until = NULL,
    error_code = COALESCE(%(code)s, m.error_code), reason = %(reason)s,
    accepted_at = COALESCE(m.accepted_at, %(now)s)
WHERE m.public_id = %(public_id)s AND m.carrier_sid IN ('', %(sid)s)
  AND m.state = ANY (%(from_states)s) AND (m.attempts > 0 OR m.state NOT IN ('scheduled', 'claimed'))
  AND (m.carrier_rank < %(rank)s
       OR (m.carrier_rank = %(rank)s AND m.state = %(state)s AND m.error_code IS NULL AND %(code)s IS NOT NULL))
RETURNING m.id
"""
