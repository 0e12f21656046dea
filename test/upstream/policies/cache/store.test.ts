import { test } from 'tap'
import { checkStore, sizeOf, type CacheStore } from '../../../../src/upstream/policies/cache/store.ts'
import { createMemoryStore } from '../../../../src/upstream/policies/cache/memory-store.ts'
import { createRuntime } from '../../../../src/upstream/runtime.ts'

const store: CacheStore = {
  storage: 'bodies',
  get: () => undefined,
  set: () => {},
  delete: () => {},
  invalidate: () => {},
}

test('a store whose parts are not what they must be is refused with the part and the fix', async t => {
  for (const [part, value, message] of [
    ['storage', 'both', /runtime: cacheStore\.storage must be 'values' or 'bodies', got 'both'/],
    ['get', undefined, /runtime: cacheStore\.get must be a function/],
    ['set', 1, /cacheStore\.set/],
    ['delete', null, /cacheStore\.delete/],
    ['invalidate', undefined, /runtime: cacheStore\.invalidate must be a function/],
    ['leases', null, /runtime: cacheStore\.leases\.take must be a function/],
    ['leases', { take: () => {} }, /runtime: cacheStore\.leases\.stateOf must be a function/],
    ['getTimeout', NaN, /cacheStore\.getTimeout must be .*, got NaN$/],
    ['getTimeout', -1, /cacheStore\.getTimeout must be .*, got -1$/],
    ['keeps', 'bodies', /runtime: the option 'cacheStore\.keeps' was renamed to 'cacheStore\.storage'/],
    ['patience', 5, /runtime: the option 'cacheStore\.patience' was renamed to 'cacheStore\.getTimeout'/],
  ] as const)
    t.throws(() => createRuntime({ cacheStore: { ...store, [part]: value } }), { name: 'TypeError', message })
  t.equal(checkStore('runtime', { ...store, getTimeout: 5 }).getTimeout, 5)
})

test('a store that cannot say what it holds says nothing', async t => {
  t.same(sizeOf(createMemoryStore()), { entries: 0, bytes: 0 })
  t.equal(sizeOf(store), undefined)
  for (const size of [null, 'text', {}, { entries: 1 }, { entries: '1', bytes: 1 }])
    t.equal(sizeOf({ ...store, size } as unknown as CacheStore), undefined)
  t.equal(
    sizeOf({
      ...store,
      get size(): never {
        throw new Error('theirs')
      },
    }),
    undefined,
  )
})
