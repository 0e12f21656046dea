export type StepKind = 'required' | 'optional' | 'each' | 'firstOf'

/** One named line of an aggregate, checked, with its defaults filled in. */
export interface Step {
  readonly name: string
  /** Its place in the order of declaration. */
  readonly index: number
  readonly kind: StepKind
  readonly author: (seen: never) => unknown
  /** Earlier steps whose values it is given, by place. */
  readonly needs: readonly number[]
  /** Limit on the step, in ms; the run's deadline alone when undefined. */
  readonly timeout: number | undefined
  /** Stands for the value of an optional step, or of a lost item of an `each`. */
  readonly fallback: unknown
  /** Whether its value is frozen in every case, since a fallback that all runs share may stand in it. */
  readonly isFrozen: boolean
  /** Calls under way at once. */
  readonly concurrency: number
  /** Calls at most. */
  readonly maxItems: number
  /** How many of an `each` must be answered; all of them when undefined. */
  readonly minSuccess: number | undefined
  /** How many answers a `firstOf` takes. */
  readonly count: number
}
