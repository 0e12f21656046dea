import { scriptOf } from '../commands/script.ts'

/** The value of a lease whose last answer was not stored. */
export const unshared = 'unshared'

/**
 * Takes a lease if it is free. KEYS: the lease, its entry and the generation of its URI. ARGV: the token of the caller,
 * the time in ms, and the generation of the lease. Returns the value that the lease has now, and 1 if the entry does
 * not exist and the generation is the present one.
 */
export const takeLease = scriptOf(`
local value = redis.call('GET', KEYS[1])
if not value then
  value = ARGV[1]
  redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
end
local isEmpty = redis.call('PTTL', KEYS[2]) == -2 and redis.call('GET', KEYS[3]) == ARGV[3]
return { KEYS[1], value, isEmpty and 1 or 0 }
`)

/**
 * Renews a lease if it has not passed to another holder. KEYS: the lease. ARGV: the token of the holder and the time in
 * ms. Returns 1, or 0 if the lease has passed on.
 */
export const renewLease = scriptOf(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { KEYS[1], 0 } end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { KEYS[1], 1 }
`)

/**
 * Releases a lease if it has not passed to another holder. A full server accepts the SET after the DEL. KEYS: the
 * lease. ARGV: the token of the holder, and the time for which the lease is unshared in ms, or 0.
 */
export const releaseLease = scriptOf(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { KEYS[1] } end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '0' then redis.call('SET', KEYS[1], '${unshared}', 'PX', ARGV[2]) end
return { KEYS[1] }
`)
