"""The ledger's scripts: each one atomic step on one day.

KEYS[1] is a hash: `s` `w` `e` are the sums spent, held at worst and held as expected, of all, and
with `:user` of one; `c:id` a call as `state|user|nano|expected|detail`; `token` names the latest
closing of the day and `ready` the one that has ended; `granted` counts allowances.
KEYS[2] orders holds by when they expire, KEYS[3] calls that are to be booked by when that is due.
"""

from __future__ import annotations

from rag_core.adapters.redis.script import Script

_COMMON = """
local day, holds, unbooked = KEYS[1], KEYS[2], KEYS[3]
local HELD, RECLAIMED, GUESSED, SETTLED, BOOKED = 1, 2, 3, 4, 5
local function whole(number) return string.format('%.0f', number) end
local function clock(given)
    if given ~= '' then return tonumber(given) end
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function sum(field) return tonumber(redis.call('HGET', day, field) or '0') end
local function add(kind, user, nano)
    if nano ~= 0 then
        redis.call('HINCRBY', day, kind, whole(nano))
        redis.call('HINCRBY', day, kind .. ':' .. user, whole(nano))
    end
end
local function known(call)
    local value = redis.call('HGET', day, 'c:' .. call)
    if not value then return 0 end
    local state, user, nano, expected, detail =
        string.match(value, '^(%d)|([^|]*)|(%d+)|(%d+)|(.*)$')
    return tonumber(state), user, tonumber(nano), tonumber(expected), detail
end
local function forget_sums(state, user, nano, expected)
    if state == HELD then
        add('w', user, -nano)
        add('e', user, -expected)
    elseif state > HELD then
        add('s', user, -nano)
    end
end
local function rise(call, state, user, nano, detail, due)
    local was, its, before, expected = known(call)
    if state <= was then return end
    forget_sums(was, its, before, expected)
    add('s', user, nano)
    redis.call('HSET', day, 'c:' .. call,
        table.concat({state, user, whole(nano), '0', detail}, '|'))
    redis.call('ZREM', holds, call)
    if state == GUESSED or state == BOOKED then redis.call('ZREM', unbooked, call)
    else redis.call('ZADD', unbooked, whole(due), call) end
end
local function reclaim(now)
    local expired = redis.call('ZRANGE', holds, '-inf', whole(now), 'BYSCORE', 'LIMIT', 0, 100)
    for _, call in ipairs(expired) do
        local _, user, nano = known(call)
        if user then rise(call, RECLAIMED, user, nano, '', now)
        else redis.call('ZREM', holds, call) end
    end
end
"""

# day's number, now or '', user, call, worst, expected, user's cap, cap of all, TTL in ms, keep ms,
# whether to ask for an allowance, how many there are
HOLD = Script(
    _COMMON
    + """
local now, user, call = clock(ARGV[2]), ARGV[3], ARGV[4]
local worst, expected = tonumber(ARGV[5]), tonumber(ARGV[6])
local today = math.floor(now / 86400000)
if today ~= tonumber(ARGV[1]) then return {'day', whole(today)} end

-- Another run of the server, or no token: what was held may be lost.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local token = redis.call('HGET', day, 'token') or ''
if string.sub(token, 1, #run) ~= run then
    token = run .. ':' .. whole(now + tonumber(ARGV[9]))
    redis.call('HSET', day, 'token', token)
    for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[10]) end
end
reclaim(now)
if redis.call('HGET', day, 'ready') ~= token then
    local ends = tonumber(string.match(token, ':(%d+)$'))
    return {'closed', token, whole(math.max(0, ends - now))}
end

local was = known(call)
if was > HELD then return {'taken'} end
local verdict = 'admitted'
if was == 0 then
    for _, cap in ipairs({{'user', ':' .. user, ARGV[7]}, {'all', '', ARGV[8]}}) do
        local spent, most = sum('s' .. cap[2]), tonumber(cap[3])
        if verdict == 'admitted' or verdict == 'soon' then
            if spent + sum('e' .. cap[2]) + expected > most then verdict = cap[1]
            elseif spent + sum('w' .. cap[2]) + worst > most then verdict = 'soon' end
        end
    end
    if verdict == 'admitted' then
        add('w', user, worst)
        add('e', user, expected)
        redis.call('HSET', day, 'c:' .. call,
            table.concat({HELD, user, whole(worst), whole(expected), ''}, '|'))
        redis.call('ZADD', holds, whole(now + tonumber(ARGV[9])), call)
        redis.call('PEXPIRE', holds, ARGV[10], 'NX')
    end
end
local granted = 0
if ARGV[11] == '1' and sum('granted') < tonumber(ARGV[12]) then
    redis.call('HINCRBY', day, 'granted', 1)
    granted = 1
end
local reply = {verdict, granted}
for _, scope in ipairs({':' .. user, ''}) do
    for _, kind in ipairs({'s', 'w', 'e'}) do table.insert(reply, whole(sum(kind .. scope))) end
end
return reply
"""
)

# call
RELEASE = Script(
    _COMMON
    + """
local was, user, nano, expected = known(ARGV[1])
if was ~= HELD then return 0 end
forget_sums(was, user, nano, expected)
redis.call('HDEL', day, 'c:' .. ARGV[1])
redis.call('ZREM', holds, ARGV[1])
return 1
"""
)

# now or '', ms until booking is due, keep ms; for each call its id, state, user, nano, detail
RECORD = Script(
    _COMMON
    + """
local due = clock(ARGV[1]) + tonumber(ARGV[2])
for at = 4, #ARGV, 5 do
    rise(ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3]), ARGV[at + 4], due)
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3], 'NX') end
return 1
"""
)

# now or ''; replies for each call: id, user, nano, detail
DUE = Script(
    _COMMON
    + """
local now = clock(ARGV[1])
reclaim(now)
local reply = {}
local due = redis.call('ZRANGE', unbooked, '-inf', whole(now), 'BYSCORE', 'LIMIT', 0, 100)
for _, call in ipairs(due) do
    local state, user, nano, _, detail = known(call)
    if state == 0 then redis.call('ZREM', unbooked, call)
    else for _, part in ipairs({call, user, whole(nano), detail}) do table.insert(reply, part) end
    end
end
return reply
"""
)

# closing, allowances that count as given
OPEN = Script("""
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[1], 'ready') ~= ARGV[1] then
    redis.call('HSET', KEYS[1], 'ready', ARGV[1], 'granted', ARGV[2])
end
return 1
""")

GIVE_BACK = Script("""
if tonumber(redis.call('HGET', KEYS[1], 'granted') or '0') > 0 then
    redis.call('HINCRBY', KEYS[1], 'granted', -1)
end
return 1
""")
