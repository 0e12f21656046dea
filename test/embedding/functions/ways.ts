/** Ways in which a function that is not ours goes wrong: by throwing, by a promise, and by what it returns. */
export const ways = {
  'throws an error': () => { throw new Error('theirs') },
  'throws undefined': () => { throw undefined },
  'throws a text': () => { throw 'theirs' },
  'rejects': () => Promise.reject(new Error('theirs')),
  'rejects with undefined': () => Promise.reject(undefined),
  'never settles': () => new Promise(() => {}),
  // oxlint-disable-next-line unicorn/no-thenable -- that is what goes wrong
  'a then that throws': () => ({ then () { throw new Error('theirs') } }),
  // oxlint-disable-next-line unicorn/no-thenable -- that is what goes wrong
  'a then that cannot be read': () => ({ get then () { throw new Error('theirs') } }),
  'a proxy that throws': () => Proxy.revocable({}, {}),
  'undefined': () => undefined,
  'null': () => null,
  'NaN': () => NaN,
  'a negative number': () => -1,
  'a huge number': () => 1e308,
  'a text': () => 'text',
  'a symbol': () => Symbol('theirs'),
  'a function': () => () => undefined,
  'a cycle': () => cycle,
} as const

export type Way = keyof typeof ways

/** Makes the function that goes wrong in this way. */
export function misbehaving (way: Way): () => unknown {
  if (way !== 'a proxy that throws') return ways[way]
  return () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }
}

/** Ways that throw, or that throw when they are looked at. */
export const throwing: readonly Way[] = ['throws an error', 'throws undefined', 'throws a text', 'a then that throws', 'a then that cannot be read', 'a proxy that throws', 'rejects', 'rejects with undefined']

const cycle: { self?: object } = {}
cycle.self = cycle
