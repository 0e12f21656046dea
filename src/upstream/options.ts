import type { z } from 'zod'
import type { Schema } from './inference.ts'

/** The form in which an operation's body is read. */
export type As = 'json' | 'text' | 'bytes'

/** What `operation` takes. */
export interface OperationOptions<P, O, Pa, Q, B, H, I> {
  /** @default 'GET' */
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path template below the origin: `/breeds/{id}`. */
  readonly path: P
  /** One entry for each name in the path; encoded, and kept inside its segment. */
  readonly params?: Pa
  readonly query?: Q
  /** The body, sent as JSON; given under `body` in the call's input. */
  readonly body?: B
  /** What the upstream answers; fields it does not name are dropped. */
  readonly output: O
  /** How the body is read. @default 'json' */
  readonly as?: As
  /** Media types that are read. @default JSON types for 'json', `text/*` for 'text', `*\/*` for 'bytes' */
  readonly accept?: readonly string[]
  /** Whether an empty body is an answer, and is `null`. @default false */
  readonly empty?: boolean
  /** Statuses that mean "there is none": the call answers `null`. @default [] */
  readonly absent?: readonly number[]
  /** Reads response headers too: the call then answers `{ body, headers }`. */
  readonly withHeaders?: H
  /** Whether equal calls in flight share one answer; not for answers that ought to differ. @default false */
  readonly coalesce?: boolean
  /** Makes the `idempotency-key` of a call that is not idempotent by its method. */
  readonly idempotencyKey?: (input: I) => string
}

/** The same with nothing inferred. */
export type AnyOperationOptions = OperationOptions<string, z.ZodType, z.ZodType | undefined, Schema, Schema, Schema, never>

/** What `defineUpstream` takes. */
export interface UpstreamOptions {
  /** Scheme, host and port: `https://catfact.ninja`. A path belongs into the operations. */
  readonly origin: string
  /** Calls on the wire at once. @default 64 */
  readonly slots?: number
  /** Sockets at most; never fewer than `slots`. @default the slots */
  readonly connections?: number
  /** Calls that may wait for a slot before new runs are refused. @default 256 */
  readonly queue?: number
  /** Limit on one attempt, from dispatch to the last byte, in ms. @default 1000 */
  readonly timeout?: number
  /** Limit on one call with its waiting and all its attempts, in ms. @default what remains of the run's deadline */
  readonly deadline?: number
  /** Limit on opening a connection, TLS included, in ms. @default 1000 */
  readonly connectTimeout?: number
  /** Bytes of one answer, on the wire and decoded. @default 5 MiB */
  readonly maxBytes?: number
  /** Values in one JSON answer: checking each of very many wrong ones would hold up everything else. @default 200000 */
  readonly maxValues?: number
  /** Inbound headers that are sent on, by name. @default [] */
  readonly forward?: readonly string[]
  /** Headers sent with every call. @default {} */
  readonly headers?: Readonly<Record<string, string>>
  /** Whether to ask for compressed answers. @default true */
  readonly decompress?: boolean
}
