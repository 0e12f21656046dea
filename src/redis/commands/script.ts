import { hash } from 'node:crypto'

/**
 * A Lua script. It returns a list whose first element is `KEYS[1]`. It must have the same effect if it runs once more
 * than was seen, because a late script is not taken back.
 */
export interface Script {
  readonly text: string
  readonly sha: string
}

/** Returns the script of a text. */
export function scriptOf(text: string): Script {
  return { text, sha: hash('sha1', text, 'hex') }
}

/** Returns the command that runs a script which the server may have. */
export function evalsha(script: Script, keys: readonly string[], args: readonly string[]): string[] {
  return ['EVALSHA', script.sha, String(keys.length), ...keys, ...args]
}

/** Returns the command that runs a script which the server does not have. */
export function evaluate(script: Script, keys: readonly string[], args: readonly string[]): string[] {
  return ['EVAL', script.text, String(keys.length), ...keys, ...args]
}

/** Returns true for the reply of a script for a key. */
export function isReplyFor(key: string | undefined, reply: unknown): reply is [string, ...unknown[]] {
  return Array.isArray(reply) && reply[0] === key
}
