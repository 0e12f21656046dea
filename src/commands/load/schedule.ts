/** The moments at which requests are due. */
export interface Schedule {
  /** True if the moments are fixed in advance and do not depend on the replies. */
  readonly isOpenLoop: boolean
  /** Takes the next request that is due and returns the moment at which it was due. */
  takeDue(now: number): number | undefined
  /** Returns the moment of the next request, or `undefined` if no more requests follow. */
  nextAt(now: number): number | undefined
  /** Returns the number of requests that are due and not taken. */
  waiting(now: number): number
  /** Returns the number of requests that have been due since the start. */
  dueCount(now: number): number
  /** Ends the schedule: no request is due after this moment. */
  endAt(moment: number): void
}

/**
 * Schedules requests at a constant rate. The moments are computed from an index, so a backlog of any length takes no
 * memory.
 */
export function constantArrivalRate(perSecond: number, startAt: number, ms: number): Schedule {
  let total = Math.max(1, Math.round((perSecond * ms) / 1000))
  let taken = 0
  const moment = (index: number) => startAt + (index / perSecond) * 1000
  const dueBy = (now: number) => Math.min(total, Math.max(taken, Math.floor(((now - startAt) * perSecond) / 1000) + 1))

  return {
    isOpenLoop: true,
    takeDue(now) {
      if (taken >= total || moment(taken) > now) return undefined
      return moment(taken++)
    },
    nextAt: () => (taken < total ? moment(taken) : undefined),
    waiting: now => dueBy(now) - taken,
    dueCount: dueBy,
    endAt(end) {
      total = dueBy(end)
    },
  }
}

/** Schedules a request whenever a connection is free. Each request is due at the moment at which it is sent. */
export function closedLoop(startAt: number, ms: number): Schedule {
  let end = startAt + ms
  let taken = 0
  return {
    isOpenLoop: false,
    takeDue(now) {
      if (now >= end) return undefined
      taken++
      return now
    },
    nextAt: now => (now < end ? end : undefined),
    waiting: () => 0,
    dueCount: () => taken,
    endAt(moment) {
      end = Math.min(end, moment)
    },
  }
}
