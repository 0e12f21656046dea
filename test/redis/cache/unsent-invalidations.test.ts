import { test } from 'tap'
import { UnsentInvalidations } from '../../../src/redis/cache/unsent-invalidations.ts'
import { failure } from '../../helpers/failure.ts'
import { until } from '../../helpers/until.ts'

/** A list of unsent invalidations on a store whose state the test sets. */
function opened({ max = 10, isReachable = false } = {}) {
  const sent: string[] = []
  const suspended: string[] = []
  const store = {
    isReachable,
    suspend(reason: string) {
      suspended.push(reason)
      store.isReachable = false
    },
    /** The writes of the next invalidations, in their order. */
    replies: [] as (() => Promise<void>)[],
  }
  const unsent = new UnsentInvalidations(
    store,
    uri => {
      sent.push(uri)
      return store.replies.shift()?.() ?? Promise.resolve()
    },
    max,
  )
  /** Adds a URI. Returns the cause if its invalidation is still not confirmed. */
  const add = (uri: string) =>
    unsent.add(uri, cause).then(
      () => undefined,
      (error: unknown) => error,
    )
  return { store, unsent, sent, suspended, add }
}

const cause = new Error('the first failure')

const fails = () => Promise.reject(new Error('late'))

test('unsent invalidations are written when the store is back, each once', async t => {
  const { unsent, sent, add } = opened({ max: 1000 })
  const uris = Array.from({ length: 250 }, (_, index) => `${index}`)
  for (const uri of [...uris, '7']) t.equal(await add(uri), cause)
  t.equal(unsent.size, 250)
  t.ok(unsent.has('7') && !unsent.has('other'))
  await unsent.flush()
  t.same([...sent].sort(), [...uris].sort())
  t.equal(unsent.size, 0)
  t.notOk(unsent.has('7'))
})

test('a flush rejects if an invalidation is not confirmed, and the next one writes it', async t => {
  const { unsent, sent, store, add } = opened()
  for (const uri of ['a', 'b', 'c']) await add(uri)
  store.replies = [() => Promise.resolve(), fails]
  t.match(await failure(unsent.flush()), { message: 'late' })
  await until(() => unsent.size === 1)
  sent.length = 0
  await unsent.flush()
  t.same(sent, ['b'])
})

test('an invalidation that fails while the store is reachable is written again at once', async t => {
  const { unsent, sent, suspended, add } = opened({ isReachable: true })
  t.equal(await add('a'), undefined)
  t.equal(unsent.size, 0)
  t.same(sent, ['a'])
  t.same(suspended, [])
})

test('the store is not used after an invalidation that fails twice', async t => {
  const { unsent, suspended, store, add } = opened({ isReachable: true })
  store.replies = [fails]
  t.equal(await add('a'), cause)
  t.same(suspended, ['an invalidation was not confirmed'])
  t.equal(unsent.size, 1)
})

test('a drain ends when all unsent invalidations are written, or after its time', async t => {
  const { unsent, add } = opened()
  await unsent.drain(60_000)
  for (const uri of ['a', 'b']) await add(uri)
  await unsent.drain(1)
  t.equal(unsent.size, 2)
  const drained = unsent.drain(60_000)
  await unsent.flush()
  await drained
  t.equal(unsent.size, 0)
})

test('a URI that changes again while its invalidation is written stays unsent', async t => {
  const { unsent, store, add } = opened()
  await add('a')
  store.replies = [
    async () => {
      await add('a')
    },
  ]
  await unsent.flush()
  t.equal(unsent.size, 1)
  await unsent.flush()
  t.equal(unsent.size, 0)
})

test('the oldest unsent invalidation is dropped above the limit, which is an error', async t => {
  const { unsent, add } = opened({ max: 3 })
  for (const uri of ['a', 'b', 'c', 'a']) t.equal(await add(uri), cause)
  t.match(await add('d'), {
    message: 'more than 3 invalidations wait for the shared store, and the oldest was dropped',
    cause,
  })
  t.same(
    ['a', 'b', 'c', 'd'].filter(uri => unsent.has(uri)),
    ['a', 'c', 'd'],
  )
})
