/** The two times of a cache, in ms since 1970. */
export interface Clock {
  /** What the wall clock says, which may be set back: for what upstreams write in their headers. */
  wall(): number
  /** What never goes back: for how long something has been kept. */
  steady(): number
}

const began = performance.timeOrigin

/** This machine's clocks. */
export const machineClock: Clock = {
  wall: () => Date.now(),
  steady: () => began + performance.now(),
}
