import { scriptOf } from '../commands/script.ts'

/**
 * Reads an entry and the generation of its URI, and creates the generation if the URI has none. A key of another type
 * counts as absent, and a generation without the mark of its URI is replaced. KEYS: the entry, the generation and a key
 * that never exists. ARGV: the mark, the new generation and its time in ms, or 0 if none is created. Returns the entry
 * and the generation.
 *
 * The first command is a write, so the lookup fails on a server that answers reads and accepts no invalidation. A full
 * server accepts it.
 */
export const lookUp = scriptOf(`
redis.call('DEL', KEYS[3])
local function read(key)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'table' then return text end
  redis.call('DEL', key)
  return false
end
local entry, generation = read(KEYS[1]), read(KEYS[2])
if generation and string.sub(generation, 1, string.len(ARGV[1])) ~= ARGV[1] then generation = false end
if not generation and ARGV[3] ~= '0' then
  generation = ARGV[2]
  redis.call('SET', KEYS[2], generation, 'PX', ARGV[3])
end
return { KEYS[1], entry, generation }
`)

/**
 * Stores an entry if its URI still has the generation of the entry. KEYS: the entry and the generation. ARGV: the text,
 * its generation, its time in ms, and the least time of the generation in ms.
 */
export const storeEntry = scriptOf(`
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return { KEYS[1], 0 } end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[2], ARGV[4]) end
return { KEYS[1], 1 }
`)

/**
 * Gives a URI another generation and announces it. A full server accepts a script that begins with DEL. KEYS: the
 * generation. ARGV: the new generation, its time in ms, the channel and the URI.
 */
export const replaceGeneration = scriptOf(`
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return { KEYS[1] }
`)
