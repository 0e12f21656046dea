import { scriptOf } from '../commands/script.ts'

// The first write of each script frees memory or changes none. Redis accepts the writes after it on a full server too,
// so that limits and the list of members do not end when the cache has filled the memory.

/** A function of Lua that returns the whole number of a text, or false. */
const wholeOf = `
local function wholeOf(text)
  return string.len(text) < 16 and string.match(text, '^-?%d+$') and tonumber(text)
end`

/**
 * Adds a process to the live ones, and removes those without a heartbeat.
 *
 * Keys: the members. Arguments: the process, its lifetime in ms. Reply: the live processes, at most 1000.
 */
export const memberScript = scriptOf(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local removed = redis.pcall('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
if type(removed) == 'table' then redis.call('DEL', KEYS[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + ARGV[2], '+inf')
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], 60000)
return { KEYS[1], redis.call('ZRANGE', KEYS[1], 0, 999) }
`)

/**
 * Removes a process from the live ones.
 *
 * Keys: the members. Arguments: the process. Reply: 1 if it was there, otherwise 0.
 */
export const leaveScript = scriptOf(`return { KEYS[1], redis.call('ZREM', KEYS[1], ARGV[1]) }`)

/**
 * Grants requests of one client. It grants all waiting requests if it can, none if the first one does not fit, and
 * otherwise at most a part of the rest, so that several processes share the rest fairly.
 *
 * Keys: the window. Arguments: the limit, the length of a window in ms, the requests of the first waiting call, those
 * of all waiting calls, the requests that the process wants to have, the number of processes, and the requests that
 * the process has admitted without a grant. Reply: the grant, the rest of the limit, the time to the end of the window
 * in ms.
 */
export const grantScript = scriptOf(`${wholeOf}
if type(redis.pcall('HDEL', KEYS[1], '-')) == 'table' then redis.call('DEL', KEYS[1]) end
local limit, windowMs, first, waiting = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local wanted, processes, admitted = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local known = wholeOf(redis.call('HGET', KEYS[1], 'used') or '0')
if not known then redis.call('DEL', KEYS[1]) end
local used = (known or 0) + admitted
local rest = math.max(0, limit - used)
local grant = 0
if rest >= first then
  local part = math.max(1, math.floor(rest / (2 * processes)))
  grant = math.min(rest, math.max(waiting, math.min(wanted, part)))
end
redis.call('HINCRBY', KEYS[1], 'used', admitted + grant)
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
  redis.call('PEXPIRE', KEYS[1], windowMs)
  ttl = windowMs
end
return { KEYS[1], grant, rest - grant, ttl }
`)

/**
 * Records the calls and the extra attempts of one process in the budget of an upstream, returns its last grant, and
 * grants extra attempts again.
 *
 * Each second has a field for its calls (`c`) and a field for its extra attempts (`e`), which contains the grants of
 * that second. The fields of the last 10 s and of the present second count. A grant leaves its field when it is
 * returned, and the attempts that were sent of it are recorded in the second of the report.
 *
 * Keys: the budget. Arguments: the calls, the extra attempts, the last grant and its second, the ratio, the minimum,
 * the number of processes. Reply: the grant and its second. A negative grant is a debt of the budget.
 */
export const budgetScript = scriptOf(`${wholeOf}
if type(redis.pcall('HDEL', KEYS[1], '-')) == 'table' then redis.call('DEL', KEYS[1]) end
local now = tonumber(redis.call('TIME')[1])
local calls, extra, granted, grantedAt = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local ratio, minimum, processes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local balance = minimum + ratio * calls - extra
local old = { '-' }
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local kind, second, count = string.sub(fields[i], 1, 1), wholeOf(string.sub(fields[i], 2)), wholeOf(fields[i + 1])
  if not second or not count or second < now - 10 or second > now + 10 then
    old[#old + 1] = fields[i]
  elseif kind == 'c' then
    balance = balance + ratio * count
  else
    balance = balance - count
  end
end
redis.call('HDEL', KEYS[1], unpack(old))
if granted > 0 and grantedAt >= now - 10 then
  redis.call('HINCRBY', KEYS[1], 'e' .. ARGV[4], -granted)
  balance = balance + granted
end
local grant = math.floor(balance)
if grant > 0 then grant = math.max(1, math.floor(balance / processes)) end
redis.call('HINCRBY', KEYS[1], 'c' .. now, calls)
redis.call('HINCRBY', KEYS[1], 'e' .. now, extra + math.max(0, grant))
redis.call('PEXPIRE', KEYS[1], 20000)
return { KEYS[1], grant, now }
`)
