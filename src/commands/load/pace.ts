/** When requests are due. */
export interface Pace {
  /** Whether moments are fixed beforehand, whatever the service does. */
  readonly isFixed: boolean
  /** The moment at which the next request was due, if that is over; it is then taken. */
  take(now: number): number | undefined
  /** When to look again; nothing when no more will be due. */
  nextAt(now: number): number | undefined
  /** How many are due and not taken. */
  waiting(now: number): number
  /** How many have been due at all. */
  due(now: number): number
  /** Nothing is due after this moment. */
  endAt(moment: number): void
}

/**
 * So many a second, at moments that are fixed beforehand. What waits is a number, since its moments can be computed.
 */
export function fixedRate(perSecond: number, startAt: number, ms: number): Pace {
  let total = Math.max(1, Math.round((perSecond * ms) / 1000))
  let taken = 0
  const moment = (index: number) => startAt + (index / perSecond) * 1000
  const dueBy = (now: number) => Math.min(total, Math.max(taken, Math.floor(((now - startAt) * perSecond) / 1000) + 1))

  return {
    isFixed: true,
    take(now) {
      if (taken >= total || moment(taken) > now) return undefined
      return moment(taken++)
    },
    nextAt: () => (taken < total ? moment(taken) : undefined),
    waiting: now => dueBy(now) - taken,
    due: dueBy,
    endAt(end) {
      total = dueBy(end)
    },
  }
}

/** Whoever is free asks at once: nothing is ever due before it is sent. */
export function asFastAsAnswered(startAt: number, ms: number): Pace {
  let end = startAt + ms
  let taken = 0
  return {
    isFixed: false,
    take(now) {
      if (now >= end) return undefined
      taken++
      return now
    },
    nextAt: now => (now < end ? end : undefined),
    waiting: () => 0,
    due: () => taken,
    endAt(moment) {
      end = Math.min(end, moment)
    },
  }
}
