/** The error of a command that was not sent, because the store is unavailable. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'

  constructor() {
    super('the shared store is unavailable')
  }
}

/** The error of a command without a reply within its time. The server may still execute it. */
export class StoreLate extends Error {
  override readonly name = 'StoreLate'

  constructor(ms: number) {
    super(`the shared store sent no reply within ${ms} ms`)
  }
}

/** The error of a reply that has another form than the command allows, or that belongs to another command. */
export class StoreReplyInvalid extends Error {
  override readonly name = 'StoreReplyInvalid'

  constructor(command: string) {
    super(`the shared store sent a reply to ${command} that is not one of this command`)
  }
}

/** The error of a probe of a server that is a replica. */
export class StoreNotPrimary extends Error {
  override readonly name = 'StoreNotPrimary'

  constructor() {
    super('the server is a replica')
  }
}

/** The effect of a failed command: `opens` is enough alone to make the store unavailable, and an `ignored` one does not count. */
export type FailureEffect = 'opens' | 'counts' | 'ignored'

/**
 * The codes of error replies that say nothing about the health of the server: its memory is full, a key holds another
 * type, or a script is not loaded.
 */
const ignoredCodes = ['OOM', 'WRONGTYPE', 'NOSCRIPT']

/** Returns the effect of the failure of a command. */
export function effectOf(error: unknown): FailureEffect {
  const code = replyCodeOf(error)
  if (code === 'READONLY') return 'opens'
  return code !== undefined && ignoredCodes.includes(code) ? 'ignored' : 'counts'
}

/** Returns the code with which an error reply of the server begins, or `undefined` for any other error. */
export function replyCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const [code = ''] = error.message.split(' ', 1)
  return code !== '' && code === code.toUpperCase() && code.length < error.message.length ? code : undefined
}

/**
 * Returns the reason of a failure for the log. It has no text of the server: that text can contain the arguments of a
 * command.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof StoreLate || error instanceof StoreReplyInvalid || error instanceof StoreNotPrimary)
    return error.message
  const replied = replyCodeOf(error)
  // A reply to SELECT.
  if (replied === 'ERR' && (error as Error).message.includes('DB index'))
    return 'the server does not have the database of the client'
  if (replied !== undefined) return `the server replied ${replied}`
  const { code, lastNodeError, message } = (error ?? {}) as ClientError
  if (typeof code === 'string') return `the connection failed with ${code}`
  if (lastNodeError !== undefined) return reasonOf(lastNodeError)
  return message?.startsWith('All sentinels') ? 'no Sentinel can be used' : 'the connection was lost'
}

/** An error of a client. Those of `ioredis` for a cluster and for Sentinel have no code. */
interface ClientError {
  readonly code?: unknown
  readonly message?: string
  /** The error of the last node of a cluster. */
  readonly lastNodeError?: unknown
}
