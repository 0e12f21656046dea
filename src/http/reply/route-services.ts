/** What is under way, kept by whoever watches the load. */
export interface LoadGauge {
  /** Runs in flight; each run counts itself in and out. */
  runs: number
  /** Whether a run that starts now is to leave out its optional steps. */
  readonly shedOptional: boolean
}
