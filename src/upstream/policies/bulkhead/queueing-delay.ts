import type { Flow } from './flow.ts'

/** The minimum length of the interval in which a queue may absorb a burst, in ms. */
const minInterval = 50
/** A demand that takes up to this time is not overload, in ms. */
const toleratedWait = 150
/** The same limit in holding times; the larger one applies. */
const toleratedHolds = 5
/** The wait that is never too long, in ms. */
const minTarget = 5
/** The limit on the wait under overload, as a multiple of the time that the run takes without a wait. */
const targetFactor = 2

/**
 * Estimates the wait of a new run for the calls of other runs, in ms. The runs of a flow take turns. So each live run
 * is served at most as many calls as the new run has, and all of them at most the calls that they have reserved.
 *
 * @param permits the permits that the flow gets
 */
export function estimateWait({ holdMs, liveRuns, reserved }: Flow, calls: number, permits: number): number {
  return (holdMs * Math.min(calls * liveRuns, reserved)) / permits
}

/**
 * Estimates the same wait for a flow that is overloaded. When another run ends, a new one takes its place. So all other
 * runs but one have calls until the last turn of the run.
 */
export function estimateWaitUnderOverload(
  { holdMs, liveRuns, reserved }: Flow,
  calls: number,
  permits: number,
): number {
  return (holdMs * Math.min(calls * liveRuns, reserved + calls * Math.max(0, liveRuns - 1))) / permits
}

/** Estimates the time that a run takes without a wait, in ms. */
export function estimateService({ holdMs }: Flow, calls: number, permits: number): number {
  return holdMs * (1 + calls / permits)
}

/** Returns whether a wait is too long for a flow that is overloaded. */
export function exceedsTarget(wait: number, service: number): boolean {
  return wait > Math.max(minTarget, targetFactor * service)
}

/**
 * Returns whether a flow is asked for more than its permits can do, and records the demand of a new run.
 *
 * In the first interval in which calls wait without a pause, the queue absorbs a burst (Nichols and Jacobson, RFC 8289;
 * Maurer, "Fail at Scale", ACM Queue 13(8), 2015). Later the demand is compared with that of the first interval. The
 * demand is that of a virtual queue: the reserved calls, and the calls that would be reserved if no run had been
 * refused (Kunniyur and Srikant, "Analysis and Design of an Adaptive Virtual Queue", SIGCOMM 2001). A constant number
 * of callers that send their next request after each reply does not increase it.
 */
export function isOverloaded(flow: Flow, calls: number, permits: number, now: number): boolean {
  if (flow.queued === 0) return false
  const demand = flow.reserved + flow.refused + calls
  if (now - flow.waitingSince < Math.max(minInterval, 2 * flow.holdMs)) {
    flow.burst = Math.max(flow.burst, demand)
    return false
  }
  return demand > Math.max(flow.burst, permits * Math.max(toleratedHolds, toleratedWait / flow.holdMs))
}
