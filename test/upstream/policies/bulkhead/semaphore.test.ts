import fc from 'fast-check'
import { test } from 'tap'
import { Semaphore } from '../../../../src/upstream/policies/bulkhead/semaphore.ts'

/** A semaphore with a queue of calls, each of which notes its name when it gets a permit. */
function arrange(limit: number) {
  const granted: string[] = []
  const waiting: { readonly grant: () => void }[] = []
  const semaphore = new Semaphore(limit, { next: () => waiting[0] })
  return {
    semaphore,
    granted,
    waiting,
    wait: (name: string, then: () => void = () => {}) => {
      waiting.push({
        grant() {
          waiting.shift()
          granted.push(name)
          then()
        },
      })
    },
  }
}

test('permits are taken up to the limit', async t => {
  const { semaphore } = arrange(2)
  t.ok(semaphore.isFree)
  t.ok(semaphore.tryAcquire())
  t.ok(semaphore.tryAcquire())
  t.notOk(semaphore.isFree)
  t.notOk(semaphore.tryAcquire())
  t.equal(semaphore.active, 2)
  semaphore.release()
  t.ok(semaphore.tryAcquire())
})

test('a released permit goes to the queue before a new call can take it', async t => {
  const { semaphore, granted, wait } = arrange(1)
  semaphore.tryAcquire()
  wait('a')
  wait('b')
  semaphore.release()
  t.same(granted, ['a'])
  t.notOk(semaphore.tryAcquire())
  t.equal(semaphore.active, 1)
})

test('a higher limit grants its permits to the queue at once', async t => {
  const { semaphore, granted, wait } = arrange(1)
  semaphore.tryAcquire()
  for (const name of ['a', 'b', 'c']) wait(name)
  semaphore.setLimit(2)
  t.same(granted, ['a'])
  semaphore.release()
  t.same(granted, ['a', 'b'])
})

test('a lower limit takes no permit away, and grants none until enough are released', async t => {
  const { semaphore, granted, wait } = arrange(3)
  for (let taken = 0; taken < 3; taken++) semaphore.tryAcquire()
  wait('a')
  semaphore.setLimit(1)
  t.equal(semaphore.active, 3)
  semaphore.release()
  semaphore.release()
  t.same(granted, [])
  semaphore.release()
  t.same(granted, ['a'])
})

test('calls that end while they are granted a permit do not nest, however many wait', async t => {
  const { semaphore, granted, wait } = arrange(1)
  let depth = 0
  let deepest = 0
  semaphore.tryAcquire()
  for (let call = 0; call < 10_000; call++)
    wait(String(call), () => {
      deepest = Math.max(deepest, ++depth)
      semaphore.release()
      depth--
    })
  semaphore.release()
  t.equal(granted.length, 10_000)
  t.equal(deepest, 1)
  t.equal(semaphore.active, 0)
})

test('under any history permits and waiting calls are never both left over, and none is lost', t => {
  const act = fc.oneof(
    fc.record({ type: fc.constant('enter' as const), endsAtOnce: fc.boolean() }),
    fc.record({ type: fc.constant('release' as const), limit: fc.integer({ min: 1, max: 5 }) }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(act, { maxLength: 100, size: 'max' }), (first, acts) => {
      const { semaphore, waiting, wait } = arrange(first)
      let [held, limit] = [0, first]
      for (const each of acts) {
        const before = semaphore.active
        if (each.type === 'enter') {
          if (semaphore.tryAcquire()) held++
          else
            wait('', () => {
              held++
              if (!each.endsAtOnce) return
              held--
              semaphore.release()
            })
        } else if (held > 0) {
          held--
          semaphore.setLimit((limit = each.limit))
          semaphore.release()
        }
        if (semaphore.active !== held) throw new Error(`${semaphore.active} are active, and ${held} are held`)
        if (held > Math.max(before, limit)) throw new Error(`${held} are held, and the limit is ${limit}`)
        if (semaphore.isFree && waiting.length > 0) throw new Error('a permit is free while a call waits')
      }
    }),
  )
  t.end()
})
