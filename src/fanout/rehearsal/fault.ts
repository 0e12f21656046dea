/** A fault that a caller rehearses on the calls of one step. `text` is the fault as it was written, for example `drop`. */
export type RehearsedFault =
  | {
      readonly kind: 'delay'
      readonly text: string
      /** The time for which an answer is held back after it has arrived, in ms. */
      readonly ms: number
    }
  | {
      readonly kind: 'fail'
      readonly text: string
      /** The status that the calls fail with. */
      readonly status: number
    }
  | { readonly kind: 'drop'; readonly text: string }

/** The faults of one run, by the index of their step; -1 for context(). */
export type Rehearsal = ReadonlyMap<number, RehearsedFault>

/** The header with the faults of a request, in lower case. */
export const faultHeader = 'x-headwaters-fault'
