/** Ways in which a function that is not ours goes wrong: by throwing, by a promise, and by what it returns. */
export const ways = {
  'throws an error': () => {
    throw new Error('theirs')
  },
  'throws undefined': () => {
    throw undefined
  },
  'throws a text': () => {
    throw 'theirs'
  },
  'throws a symbol': () => {
    throw Symbol('theirs')
  },
  'throws a proxy that throws': () => {
    throw revoked()
  },
  'throws an error that cannot be read': () => {
    throw unreadable()
  },
  rejects: () => Promise.reject(new Error('theirs')),
  'rejects with undefined': () => Promise.reject(undefined),
  'rejects with a proxy that throws': () => Promise.reject(revoked()),
  'rejects with an error that cannot be read': () => Promise.reject(unreadable()),
  'never settles': () => new Promise(() => {}),
  'a then that throws': () => ({
    // oxlint-disable-next-line unicorn/no-thenable -- that is what goes wrong
    then() {
      throw new Error('theirs')
    },
  }),
  'a then that cannot be read': () => ({
    // oxlint-disable-next-line unicorn/no-thenable -- that is what goes wrong
    get then() {
      throw new Error('theirs')
    },
  }),
  'a proxy that throws': () => revoked(),
  undefined: () => undefined,
  null: () => null,
  NaN: () => NaN,
  'a negative number': () => -1,
  'a huge number': () => 1e308,
  'a text': () => 'text',
  'a symbol': () => Symbol('theirs'),
  'a function': () => () => undefined,
  'a cycle': () => cycle,
} as const

export type Way = keyof typeof ways

/** Makes the function that goes wrong in this way. */
export function misbehaving(way: Way): () => unknown {
  return ways[way]
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function unreadable(): Error {
  return Object.defineProperties(
    new Error('theirs'),
    Object.fromEntries(
      ['name', 'message', 'stack', 'cause', 'code', 'statusCode'].map(key => [
        key,
        {
          get() {
            throw new Error('not to be read')
          },
        },
      ]),
    ),
  )
}

/** Ways that throw, or that throw when they are looked at. */
export const throwing: readonly Way[] = [
  'throws an error',
  'throws undefined',
  'throws a text',
  'throws a symbol',
  'throws a proxy that throws',
  'throws an error that cannot be read',
  'a then that throws',
  'a then that cannot be read',
  'a proxy that throws',
  'rejects',
  'rejects with undefined',
  'rejects with a proxy that throws',
  'rejects with an error that cannot be read',
]

const cycle: { self?: object } = {}
cycle.self = cycle
