"""The only hand-written SQL of sending: how a row of the outbox moves. Read top to bottom, it is the state diagram.

`reminders_outbox` holds one narrow row for each message that has not come to its end with us; its `state` is the truth
about sending. `reminders_message` keeps the words and what people see of the state: there `scheduled` stands for
`claimed` too, and every other move is written in the same statement. Rows enter and leave the outbox by triggers on
`reminders_message` (migration 0009): a message in one of the outbox's states has its row there, any other has none.

Leases and pacing use `clock_timestamp()`, the database's unmoved time; what is due uses the product's clock (`now`).
Every statement is a compare-and-set: it names the state and, where a worker holds the row, the fence it must hold.
Whoever moves more than the claim does locks the message's row first, several in the order of their ids: no two wait for
each other crosswise.
"""

# Each sender sends at its own pace: a part takes `1 / (rate * KEEP)` seconds. What is kept back lets the requests
# arrive a little unevenly (25 ms in each second) and still never exceed the rate within any second.
KEEP = 0.975
PER_PART = f"(1.0 / (s.parts_per_second * {KEEP}))"
# How far ahead of its turn a row is handed to a worker, which waits out the rest.
AHEAD_SECONDS = 0.1
# A row whose turn is further away than this is given back: turns went by while workers stood still.
LONGEST_WAIT_SECONDS = 0.5
# An urgent one waits no longer than this for its turn, also where a slow sender is busy; what follows waits for both.
LONGEST_URGENT_WAIT_SECONDS = 0.25

# A claim or a turn that a database loses in a crash costs nothing: the row waits again, and whoever held it finds so at
# the commit point. So these do not wait for the disk; the commit point and the answers do.
NEED_NOT_LAST = "SET LOCAL synchronous_commit = off"

# A sender's row is locked while its messages are claimed, so any number of schedulers may run: the second one skips the
# sender. Each priority is a range of its own in the index, so that texts of the future cost nothing. `place` takes the
# senders in turns: whatever one clinic has waiting, the next one's first text comes before its second.
CLAIM_DUE = f"""
WITH pace AS (
    SELECT s.id, {PER_PART} AS per_part, GREATEST(s.claimed_until, clock_timestamp()) AS free_at
    FROM reminders_sender s
    WHERE (s.paused_until IS NULL OR s.paused_until <= clock_timestamp())
      AND (%(urgent)s OR s.claimed_until < clock_timestamp() + make_interval(secs => {AHEAD_SECONDS}))
      AND EXISTS (
          SELECT 1 FROM reminders_outbox o WHERE o.sender_id = s.id AND o.state = 'scheduled'
            AND o.priority = ANY (%(priorities)s::smallint[]) AND o.due_at <= %(now)s
      )
    -- Not FOR UPDATE: that would skip a sender while any transaction, such as an import, inserts texts for it.
    FOR NO KEY UPDATE OF s SKIP LOCKED
), queue AS (
    SELECT o.message_id, o.sender_id, o.segments, p.per_part, p.free_at,
           SUM(o.segments) OVER in_turn - o.segments AS parts_before, ROW_NUMBER() OVER in_turn AS place
    FROM pace p
    CROSS JOIN unnest(%(priorities)s::smallint[]) AS level(priority)
    CROSS JOIN LATERAL (
        SELECT message_id, sender_id, segments, priority, due_at FROM reminders_outbox
        WHERE sender_id = p.id AND state = 'scheduled' AND priority = level.priority AND due_at <= %(now)s
        ORDER BY due_at, message_id
        LIMIT CASE WHEN %(urgent)s THEN %(limit)s
              ELSE LEAST(%(limit)s, 1 + CEIL({AHEAD_SECONDS} / p.per_part))::bigint END
    ) o
    WINDOW in_turn AS (PARTITION BY o.sender_id ORDER BY o.priority, o.due_at, o.message_id)
), chosen AS (
    SELECT o.message_id, q.sender_id, q.segments, q.place
    FROM queue q JOIN reminders_outbox o ON o.message_id = q.message_id
    -- The state again: what another scheduler took since this statement began must not cost a turn.
    WHERE o.state = 'scheduled' AND (
        %(urgent)s OR q.free_at + make_interval(secs => q.parts_before * q.per_part)
            < clock_timestamp() + make_interval(secs => {AHEAD_SECONDS})
    )
    ORDER BY q.place, q.message_id
    LIMIT GREATEST(0, %(limit)s - (
        SELECT COUNT(*) FROM reminders_outbox h
        WHERE h.state = 'claimed' AND h.priority = ANY (%(priorities)s::smallint[])
    ))
    FOR NO KEY UPDATE OF o SKIP LOCKED
), spent AS (
    UPDATE reminders_sender s
    SET claimed_until = p.free_at + make_interval(secs => c.parts * p.per_part)
    FROM pace p JOIN (SELECT sender_id, SUM(segments) AS parts FROM chosen GROUP BY sender_id) c ON c.sender_id = p.id
    WHERE s.id = p.id
)
UPDATE reminders_outbox o
SET state = 'claimed', fence = o.fence + 1, changed_at = %(now)s,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
FROM chosen c
WHERE o.message_id = c.message_id AND o.state = 'scheduled'
RETURNING o.message_id, o.fence, c.place
"""  # noqa: S608  # the inserted parts are the constants above

# What a scheduler asks in each round, also in an idle one: when the next text is due, whether an urgent one is
# due, and how many rows workers hold. Each is a short walk at the end of an index.
LOOK = """
SELECT (SELECT MIN(due_at) FROM reminders_outbox WHERE state = 'scheduled'),
       EXISTS (SELECT FROM reminders_outbox WHERE state = 'scheduled' AND priority = 0 AND due_at <= %(now)s),
       (SELECT COUNT(*) FROM reminders_outbox WHERE state = 'claimed')
"""

# In how many seconds a claim may find something, where anything is due now: a held sender is no reason to look.
NEXT_TURN = f"""
SELECT EXTRACT(EPOCH FROM MIN(GREATEST(
    CASE WHEN waiting.priority = 0 THEN clock_timestamp()
         ELSE s.claimed_until - make_interval(secs => {AHEAD_SECONDS} / 2) END,
    s.paused_until, clock_timestamp()
)) - clock_timestamp())
FROM reminders_sender s
CROSS JOIN unnest(%(priorities)s::smallint[]) AS level(priority)
CROSS JOIN LATERAL (
    SELECT o.priority FROM reminders_outbox o
    WHERE o.sender_id = s.id AND o.state = 'scheduled' AND o.priority = level.priority AND o.due_at <= %(now)s
    LIMIT 1
) waiting
"""  # noqa: S608

# What a worker must know to judge a claimed row. `arrived`: the states in which a text may have reached the patient.
INSPECT = """
SELECT o.message_id, o.fence, m.public_id, o.clinic_id, m.channel, o.to_number, m.body, m.quiet_exempt, o.expires_at,
       o.unknown_policy, o.attempts, o.consent_rule, o.priority, m.segments, o.sender_id, s.number AS sender_number,
       c.is_paused, o.unknown_tries,
       m.plan_id IS NOT NULL AND m.kind IN ('advice', 'check_in') AND NOT m.introduces AND NOT EXISTS (
           SELECT FROM reminders_message e
           WHERE e.treatment_session_id = m.treatment_session_id AND e.id <> m.id AND e.state = ANY (%(arrived)s)
       ) AS is_first_to_arrive,
       c.quiet_start, c.quiet_end, p.timezone, c.timezone AS clinic_timezone
FROM unnest(%(ids)s::bigint[], %(fences)s::int[]) AS held(id, fence)
JOIN reminders_outbox o ON o.message_id = held.id AND o.fence = held.fence AND o.state = 'claimed'
JOIN reminders_message m ON m.id = o.message_id
JOIN reminders_sender s ON s.id = o.sender_id
JOIN reminders_clinic c ON c.id = o.clinic_id
LEFT JOIN reminders_patient p ON p.id = m.patient_id
ORDER BY o.priority, o.due_at, o.message_id
"""

# The moment at which each text may leave, one after the other, across all workers: a sender's row is the queue. Taken
# right before the commit point, so that nothing but the request itself lies between a text's turn and its leaving.
# Nothing is granted on a sender that is held, nor so far ahead that the worker would stand and wait.
TAKE_TURNS = f"""
WITH asked AS (
    SELECT a.*, SUM(a.parts) OVER (PARTITION BY a.sender_id ORDER BY a.place) - a.parts AS parts_before
    FROM unnest(%(ids)s::bigint[], %(senders)s::bigint[], %(parts)s::int[], %(urgent)s::boolean[])
        WITH ORDINALITY AS a(id, sender_id, parts, is_urgent, place)
), pace AS (
    SELECT s.id, {PER_PART} AS per_part, GREATEST(s.turns_until, clock_timestamp()) AS free_at
    FROM reminders_sender s
    WHERE s.id = ANY (%(senders)s::bigint[]) AND (s.paused_until IS NULL OR s.paused_until <= clock_timestamp())
    ORDER BY s.id FOR NO KEY UPDATE OF s
), turn AS (
    SELECT a.id, a.sender_id, a.parts, a.is_urgent,
           p.free_at + make_interval(secs => a.parts_before * p.per_part) AS at
    FROM asked a JOIN pace p ON p.id = a.sender_id
), granted AS (
    SELECT * FROM turn
    WHERE is_urgent OR at <= clock_timestamp() + make_interval(secs => {LONGEST_WAIT_SECONDS})
), spent AS (
    UPDATE reminders_sender s SET turns_until = p.free_at + make_interval(secs => g.parts * p.per_part)
    FROM pace p JOIN (SELECT sender_id, SUM(parts) AS parts FROM granted GROUP BY sender_id) g ON g.sender_id = p.id
    WHERE s.id = p.id
)
SELECT id, GREATEST(0, LEAST(
    EXTRACT(EPOCH FROM at - clock_timestamp()), CASE WHEN is_urgent THEN {LONGEST_URGENT_WAIT_SECONDS} END
))::double precision FROM granted
"""  # noqa: S608

# Decisions about a phone take turns (clinic.turns); a worker shares the turn while it passes the commit point, so that
# the consent it reads is the newest there is, also where an opt-out is being written at this moment. In order, so that
# two workers never wait for each other; before any message row is locked, as everywhere else.
SHARE_TURNS = """
SELECT pg_advisory_xact_lock_shared(turn) FROM (
    SELECT DISTINCT hashtextextended(topic, 0) AS turn FROM unnest(%(topics)s::text[]) AS topic ORDER BY turn
) AS turns
"""

CONSENT_HOLDS = """
(o.consent_rule = 'none' OR COALESCE((
    SELECT k.decision FROM reminders_consentrecord k
    WHERE k.clinic_id = o.clinic_id AND k.number = o.to_number AND k.channel = 'sms'
    ORDER BY k.id DESC LIMIT 1
), 'never') = ANY (CASE o.consent_rule WHEN 'granted' THEN ARRAY['granted'] ELSE ARRAY['granted', 'never'] END))
"""

# The rows of a batch that its worker still holds.
HELD = """
held AS (
    SELECT m.id, h.due_at
    FROM unnest(%(ids)s::bigint[], %(fences)s::int[], %(due)s::timestamptz[]) AS h(id, fence, due_at)
    JOIN reminders_message m ON m.id = h.id
    JOIN reminders_outbox o ON o.message_id = h.id AND o.fence = h.fence AND o.state = 'claimed'
    ORDER BY m.id FOR NO KEY UPDATE OF m
)
"""

# The commit point: past this statement a create may start; before it, a cancel or an opt-out still wins.
COMMIT_TO_SEND = f"""
WITH {HELD}, committed AS (
    UPDATE reminders_outbox o
    SET state = 'sending', attempts = o.attempts + 1, began_at = %(now)s, changed_at = %(now)s,
        lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
    FROM held
    WHERE o.message_id = held.id AND o.state = 'claimed' AND o.lease_until > clock_timestamp()
      AND o.expires_at > %(now)s AND {CONSENT_HOLDS}
    RETURNING o.message_id, o.attempts
)
UPDATE reminders_message m SET state = 'sending', attempts = c.attempts, changed_at = %(now)s
FROM committed c WHERE m.id = c.message_id
RETURNING m.id, m.attempts
"""  # noqa: S608

# Rows that a worker held and the commit point refused: expired or without consent. Anything else lost its lease.
DISMISS = f"""
WITH {HELD}
UPDATE reminders_message m
SET state = CASE WHEN o.expires_at <= %(now)s THEN 'expired' ELSE 'suppressed' END,
    reason = CASE WHEN o.expires_at <= %(now)s THEN 'found_past_expiry' ELSE 'no_consent' END,
    changed_at = %(now)s
FROM held JOIN reminders_outbox o ON o.message_id = held.id
WHERE m.id = held.id AND m.state = 'scheduled' AND o.state = 'claimed'
  AND (o.expires_at <= %(now)s OR NOT {CONSENT_HOLDS})
"""  # noqa: S608

# A claimed row that must wait (quiet hours, a paused clinic) goes back with a later due time, or expires where that is
# too late. One that no worker could be given keeps the time it was due.
PUT_BACK = f"""
WITH {HELD}, back AS (
    UPDATE reminders_outbox o
    SET state = 'scheduled', due_at = COALESCE(held.due_at, o.due_at), changed_at = %(now)s, lease_until = NULL
    FROM held WHERE o.message_id = held.id AND o.state = 'claimed'
    RETURNING o.message_id, o.due_at, held.due_at > o.expires_at AS is_late
)
UPDATE reminders_message m
SET state = CASE WHEN b.is_late THEN 'expired' ELSE m.state END,
    reason = CASE WHEN b.is_late THEN 'found_past_expiry' ELSE m.reason END,
    due_at = b.due_at, changed_at = %(now)s
FROM back b WHERE m.id = b.message_id AND (b.is_late OR m.due_at <> b.due_at)
"""  # noqa: S608

# What the carrier answered, for a whole batch. The number of the try is the fence here: only its worker can know how it
# went, however late it says so. A callback that overtook us has already moved the row: then only the log is kept.
# What proves never to have been processed waits again, unless it was withdrawn meanwhile or would be too late.
SETTLE = """
WITH answer AS (
    SELECT a.*, m.state AS seen, m.attempts, m.withdrawn, m.expires_at
    FROM unnest(
        %(ids)s::bigint[], %(tries)s::int[], %(states)s::text[], %(reasons)s::text[], %(outcomes)s::text[],
        %(sids)s::text[], %(codes)s::int[], %(due)s::timestamptz[]
    ) AS a(id, try, state, reason, outcome, sid, code, due_at)
    JOIN reminders_message m ON m.id = a.id
    ORDER BY a.id FOR NO KEY UPDATE OF m
), judged AS (
    SELECT a.id, a.seen, a.sid, a.code, a.due_at, a.outcome,
           -- One that may not wait again is dropped only where no try may have arrived: else evidence decides.
           CASE WHEN a.state <> 'scheduled' OR a.may_wait THEN a.state
                WHEN a.outcome = 'unknown' OR o.unknown_tries > (a.seen = 'ambiguous')::int THEN 'ambiguous'
                WHEN a.withdrawn <> '' THEN 'cancelled' ELSE 'expired' END AS state,
           CASE WHEN a.state <> 'scheduled' OR a.may_wait THEN a.reason
                WHEN a.withdrawn <> '' THEN a.withdrawn ELSE 'found_past_expiry' END AS reason
    FROM (
        SELECT *, withdrawn = '' AND COALESCE(due_at, %(now)s) < expires_at AS may_wait FROM answer
    ) a LEFT JOIN reminders_outbox o ON o.message_id = a.id
    WHERE a.attempts = a.try AND (
        a.seen = 'sending'
        OR (a.seen = 'ambiguous' AND a.state <> 'ambiguous')
        OR (a.seen IN ('scheduled', 'unresolved', 'replaced') AND a.state = 'accepted')
    )
), kept AS (
    UPDATE reminders_outbox o
    SET state = j.state, due_at = COALESCE(j.due_at, o.due_at), changed_at = %(now)s, lease_until = NULL,
        look_at = %(now)s,
        -- `ambiguous` was this very try: now its answer is known.
        unknown_tries = GREATEST(0, o.unknown_tries - (j.seen = 'ambiguous')::int) + (j.outcome = 'unknown')::int
    FROM judged j WHERE o.message_id = j.id AND j.state IN ('scheduled', 'ambiguous')
), settled AS (
    UPDATE reminders_message m
    SET state = j.state, reason = j.reason, carrier_sid = j.sid, error_code = j.code,
        due_at = CASE WHEN j.state = 'scheduled' THEN COALESCE(j.due_at, m.due_at) ELSE m.due_at END,
        changed_at = %(now)s, accepted_at = CASE WHEN j.state = 'accepted' THEN %(now)s ELSE m.accepted_at END
    FROM judged j WHERE m.id = j.id
    RETURNING m.id, j.seen
), logged AS (
    INSERT INTO reminders_deliveryattempt
        (clinic_id, message_id, number, started_at, ended_at, outcome, error_code, carrier_sid)
    SELECT m.clinic_id, a.id, a.try, %(began)s, %(now)s, a.outcome, a.code, a.sid
    FROM answer a JOIN reminders_message m ON m.id = a.id
)
SELECT id, seen FROM settled
"""

# Leases that ended: `claimed` provably never left and goes back; `sending` may have left and waits for evidence,
# unless its policy says that lost is worse than twice.
SWEEP_LEASES = """
WITH ended AS (
    SELECT m.id, m.withdrawn FROM reminders_outbox o JOIN reminders_message m ON m.id = o.message_id
    WHERE o.state IN ('claimed', 'sending') AND o.lease_until < clock_timestamp()
    ORDER BY o.lease_until LIMIT %(limit)s FOR NO KEY UPDATE OF m SKIP LOCKED
), old AS (
    SELECT o.message_id, o.state, ended.withdrawn FROM reminders_outbox o JOIN ended ON ended.id = o.message_id
    ORDER BY o.message_id FOR NO KEY UPDATE OF o
), swept AS (
    UPDATE reminders_outbox o
    SET state = CASE
            WHEN o.state = 'claimed' THEN 'scheduled'
            WHEN o.unknown_policy = 'resend' AND old.withdrawn = '' AND o.expires_at > %(now)s
                AND o.unknown_tries + 1 < %(resend_limit)s THEN 'scheduled'
            ELSE 'ambiguous' END,
        unknown_tries = o.unknown_tries + (o.state = 'sending')::int, look_at = %(now)s,
        fence = o.fence + 1, changed_at = %(now)s, lease_until = NULL
    FROM old
    WHERE o.message_id = old.message_id AND o.state IN ('claimed', 'sending') AND o.lease_until < clock_timestamp()
    RETURNING o.message_id, o.clinic_id, o.state, o.attempts, o.began_at, old.state AS was
), shown AS (
    UPDATE reminders_message m SET state = s.state, reason = 'lease_ended', changed_at = %(now)s
    FROM swept s WHERE m.id = s.message_id AND s.was = 'sending'
), logged AS (
    INSERT INTO reminders_deliveryattempt (clinic_id, message_id, number, started_at, ended_at, outcome, carrier_sid)
    SELECT clinic_id, message_id, attempts, began_at, %(now)s, 'unknown', '' FROM swept WHERE was = 'sending'
)
SELECT message_id, state FROM swept
"""

EXPIRE_OVERDUE = """
WITH overdue AS (
    SELECT m.id FROM reminders_outbox o JOIN reminders_message m ON m.id = o.message_id
    WHERE o.state = 'scheduled' AND o.due_at <= %(now)s AND o.expires_at <= %(now)s
    ORDER BY m.id LIMIT %(limit)s FOR NO KEY UPDATE OF m SKIP LOCKED
), stale AS (
    SELECT o.message_id FROM reminders_outbox o JOIN overdue ON overdue.id = o.message_id
    WHERE o.state = 'scheduled' AND o.expires_at <= %(now)s ORDER BY o.message_id FOR NO KEY UPDATE OF o
)
UPDATE reminders_message m SET state = 'expired', reason = 'found_past_expiry', changed_at = %(now)s
FROM stale WHERE m.id = stale.message_id
"""
