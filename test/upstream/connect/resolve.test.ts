import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { test } from 'tap'
import { createResolve, publicResolve } from '../../../src/upstream/connect/resolve.ts'
import { misbehaving } from '../../embedding/functions/ways.ts'
import { collected } from '../../helpers/collected.ts'
import { failure } from '../../helpers/failure.ts'

type Done = Parameters<LookupFunction>[2]

/** A lookup that the test answers. */
function arrange() {
  const clock = { ms: 0 }
  const asked: { readonly hostname: string; readonly options: object; readonly done: Done }[] = []
  const resolve = createResolve(
    (hostname, options, done) => {
      asked.push({ hostname, options, done })
    },
    () => clock.ms,
  )
  const ask = (hostname: string, options = {}) =>
    new Promise<readonly LookupAddress[]>((given, refused) =>
      resolve(hostname, options, (error, addresses) => (error === null ? given(addresses) : refused(error))),
    )
  return { clock, asked, ask }
}

const one = [{ address: '1.1.1.1', family: 4 }]
const other = [{ address: '8.8.8.8', family: 4 }]

test('concurrent lookups of one name share one lookup, for all its addresses', async t => {
  const { asked, ask } = arrange()
  const answers = [
    ask('cats.example', { hints: 1 }),
    ask('cats.example', { hints: 1 }),
    ask('cats.example', { hints: 1 }),
  ]
  t.match(asked, [{ hostname: 'cats.example', options: { all: true, hints: 1 } }])
  t.equal(asked.length, 1)
  asked[0]?.done(null, one)
  t.same(await Promise.all(answers), [one, one, one])
  void ask('cats.example', { hints: 1, family: 6 })
  void ask('dogs.example')
  t.equal(asked.length, 3, 'another name and another question are asked for themselves')
})

test('a result that is no longer reused is forgotten at the next lookup', async t => {
  const { asked, ask, clock } = arrange()
  async function fail(): Promise<WeakRef<Error>> {
    const error = Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
    const lost = failure(ask('gone.example'))
    asked.pop()?.done(error, [])
    await lost
    return new WeakRef(error)
  }
  const result = await fail()
  await collected()
  t.ok(result.deref(), 'it is still reused')
  clock.ms = 1000
  const later = ask('cats.example')
  asked[0]?.done(null, one)
  await later
  await collected()
  t.equal(result.deref(), undefined)
})

test('an answer stands for a second, so new connections follow a name that moves', async t => {
  const { asked, ask, clock } = arrange()
  const first = ask('cats.example')
  clock.ms = 5000
  asked[0]?.done(null, one)
  t.same(await first, one)
  clock.ms = 5999
  t.same(await ask('cats.example'), one)
  t.equal(asked.length, 1)
  clock.ms = 6000
  const later = ask('cats.example')
  asked[1]?.done(null, other)
  t.same(await later, other)
})

test('a failed lookup stands for a second too, and an answer without addresses is a failure', async t => {
  const { asked, ask, clock } = arrange()
  const error = Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
  const failures = [failure(ask('cats.example')), failure(ask('cats.example'))]
  asked[0]?.done(error, [])
  t.same(await Promise.all(failures), [error, error])
  t.equal(await failure(ask('cats.example')), error)
  clock.ms = 1000
  const none = failure(ask('cats.example'))
  asked[1]?.done(null, [])
  t.match(await none, { code: 'ENOTFOUND' })
})

test('a lookup that gives one address is understood', async t => {
  const { asked, ask } = arrange()
  const answers = [ask('a.example'), ask('b.example')]
  asked[0]?.done(null, '::1', 6)
  asked[1]?.done(null, '1.1.1.1')
  t.same(await Promise.all(answers), [[{ address: '::1', family: 6 }], one])
})

test('a lookup that throws has failed, with what it threw as the cause', async t => {
  const clock = { ms: 0 }
  let asked = 0
  const bug = new TypeError('a bug of the lookup')
  const resolve = createResolve(
    () => {
      asked++
      throw bug
    },
    () => clock.ms,
  )
  const ask = () =>
    new Promise((given, refused) =>
      resolve('cats.example', {}, error => (error === null ? given(undefined) : refused(error))),
    )
  t.match(await failure(ask()), { code: 'ENOTFOUND', message: 'a bug of the lookup', cause: bug })
  await failure(ask())
  t.equal(asked, 1, 'which stands as long as an answer')
  clock.ms = 1000
  await failure(ask())
  t.equal(asked, 2)
})

test('a lookup may give its answer in forms that Node does not, and nonsense is a failure', async t => {
  const { asked, ask } = arrange()
  let at = 0
  const given = (...answer: unknown[]) => {
    const answered = ask(`${at}.example`)
    const { done } = asked[at++] as { readonly done: unknown }
    ;(done as (...answer: unknown[]) => void)(...answer)
    return answered
  }
  t.same(await given(undefined, '1.1.1.1'), one, 'undefined is no error')
  t.same(await given(null, '1.1.1.1', undefined), one)
  for (const address of [null, undefined, 4, {}, [null], [undefined], ['1.1.1.1'], [{ address: 4, family: 4 }]]) {
    t.match(await failure(given(null, address)), {
      code: 'ENOTFOUND',
      cause: { message: /returned an address that is not a string/ },
    })
  }
  const refused = Object.assign(new Error('no such name'), { code: 'EAI_AGAIN' })
  t.equal(await failure(given(refused)), refused, 'an error of the system stays what it is')
  t.match(await failure(given('text')), {
    code: 'ENOTFOUND',
    message: /^the lookup of \d+\.example failed$/,
    cause: 'text',
  })
  for (const reason of [0, new Error('without a code'), Object.assign(new Error('another code'), { code: 7 })])
    t.match(await failure(given(reason)), { code: 'ENOTFOUND' })
})

test('of a lookup that calls back twice the first answer counts', async t => {
  const { asked, ask } = arrange()
  const answer = ask('cats.example')
  for (const addresses of [one, other]) asked[0]?.done(null, addresses)
  asked[0]?.done(new Error('late'), [])
  t.same(await answer, one)
})

test('an async lookup that rejects has failed', async t => {
  const resolve = createResolve(misbehaving('rejects'))
  const error = await new Promise(ended => resolve('cats.example', {}, ended))
  t.match(error, { code: 'ENOTFOUND', cause: { message: 'theirs' } })
})

test('with publicOnly the public addresses of a name and the error of a lookup are passed on', async t => {
  const unknown = new Error('no such name')
  for (const [error, addresses] of [
    [null, [...one, ...other]],
    [unknown, []],
  ] as const) {
    const resolve = publicResolve((_hostname, _options, done) => done(error, addresses))
    const passed: unknown[] = []
    resolve('cats.example', {}, (...given) => passed.push(given))
    t.same(passed, [[error, addresses]])
  }
})
