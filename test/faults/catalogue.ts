import type { Entry, NotApplicable } from './helpers/entry.ts'
import { connecting } from './lines/a-connecting.ts'
import { heads } from './lines/b-heads.ts'
import { framing } from './lines/c-framing.ts'
import { payloads } from './lines/d-payloads.ts'
import { statuses } from './lines/e-statuses.ts'
import { connections } from './lines/f-connections.ts'
import { fanOuts } from './lines/g-fan-outs.ts'
import { processes } from './lines/h-processes.ts'
import { inbound } from './lines/i-inbound.ts'
import { workers } from './lines/j-workers.ts'

/**
 * Every entry of the catalogue that this service can meet, by letter; a test file of the same letter runs them. Its
 * numbers are those from `from` to `to`, and those that came later.
 */
export const catalogue: Readonly<
  Record<
    string,
    {
      readonly entries: readonly Entry[]
      readonly from: number
      readonly to: number
      readonly more?: readonly number[]
    }
  >
> = {
  A: { entries: connecting, from: 1, to: 10 },
  B: { entries: heads, from: 11, to: 27 },
  C: { entries: framing, from: 28, to: 42 },
  D: { entries: payloads, from: 43, to: 58 },
  E: { entries: statuses, from: 59, to: 70 },
  F: { entries: connections, from: 71, to: 77 },
  G: { entries: fanOuts, from: 78, to: 92 },
  H: { entries: processes, from: 93, to: 97, more: [110, 111] },
  I: { entries: inbound, from: 98, to: 109 },
  J: { entries: workers, from: 112, to: 115 },
}

/** The others, and why. */
export const notApplicable: readonly NotApplicable[] = [
  { no: 76, why: 'it is about HTTP/2, which is off: no connection offers it (allowH2: false)' },
]
