import type { Test } from 'tap'
import type { z } from 'zod'
import type { ErrorCode, Verdict } from '../../../src/errors.ts'
import type { AnyOperationOptions } from '../../../src/upstream/spec/operation-options.ts'
import type { UpstreamOptions } from '../../../src/upstream/spec/options.ts'
import type { Victim } from './victim.ts'

/** One way to be bad, asked by a step that is required and by one that is optional. */
export interface Line {
  /** Of the catalogue; several lines may be forms of one entry. */
  readonly no: number
  readonly fault: string
  readonly upstream: (t: Test) => Promise<Victim>
  /** Why the step has no value; none when its answer is good all the same. */
  readonly code?: ErrorCode
  /** The status of a reply whose step is required. */
  readonly required: number
  /** The state of a step that is optional, in a reply of 200. */
  readonly optional: 'ok' | 'fallback'
  /** How often each step sends its call. @default 1 */
  readonly attempts?: number
  /** The answer is there at the latest after this, in ms: exactly so in `npm run test:timing`; and not before `afterMs`. */
  readonly withinMs: number
  readonly afterMs?: number
  /** Open at the upstream when both have been answered. */
  readonly connectionsAfter: number
  /** What is learnt of the upstream. @default what the table of errors says */
  readonly learnt?: Verdict
  /** The value of a good answer. @default the word that was asked for */
  readonly value?: unknown
  /** `retry-after` of the reply whose step is required. @default '1' for 503, none for others */
  readonly retryAfter?: string | RegExp
  /** What differs from `GET /word/{id}` that answers `{ word }`. */
  readonly operation?: Partial<Omit<AnyOperationOptions, 'path'>> & {
    readonly input?: object
    readonly output?: z.ZodType
  }
  /** @default a concurrency of 2, and timeouts of 10 s */
  readonly options?: Partial<UpstreamOptions>
  /** Of the run. @default 10000 */
  readonly deadline?: number
  /** What else must be true when both have been answered. */
  readonly also?: (t: Test, victim: Victim) => unknown
}

/** An entry that is more than one bad answer: a story with its own end. */
export interface Scene {
  readonly no: number
  readonly fault: string
  /** What is right, in words. */
  readonly right: string
  readonly play: (t: Test) => Promise<void>
}

/** An entry that this service cannot meet. */
export interface NotApplicable {
  readonly no: number
  readonly why: string
}

export type Entry = Line | Scene
