/**
 * The calls that share one part of the permits of an upstream: all calls of one aggregate. Each aggregate has one flow,
 * which its declaration makes.
 */
export interface CallFlow {
  /** The part of the permits, in relation to the weights of other flows. */
  readonly weight: number
}
