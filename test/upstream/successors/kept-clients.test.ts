import { test } from 'tap'
import { env } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { declareCats, generations } from '../../helpers/generations.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { until } from '../../helpers/until.ts'

test('the successor of a runtime uses the connection of an unchanged upstream, which stays open', async t => {
  const { raw, first, next } = await generations(t, json('well'))
  await first.ask()
  const second = next(first)
  await first.runtime.close()
  t.equal(await second.ask(), 'well')
  t.same(
    raw.requests.map(({ connection }) => connection),
    [0, 0],
  )
  t.match(second.runtime.stats(), { cats: { calls: 2 } }, 'the counts go on')
  await second.runtime.close()
  await raw.deserted()
})

test('an upstream that only the earlier runtime has called since the reload is shared too', async t => {
  const { raw, first, next } = await generations(t, json('well'))
  const second = next(first)
  await first.ask()
  await second.ask()
  t.equal(raw.connections, 1)
})

test('an open breaker of an unchanged upstream stays open', async t => {
  const { raw, first, next } = await generations(t, json('bad', 500), { breaker: { minimumCalls: 2 } })
  for (let call = 0; call < 2; call++) await failure(first.ask())
  t.match(first.runtime.stats(), { cats: { breaker: 'open' } })
  const second = next(first)
  await first.runtime.close()
  t.match(second.runtime.stats(), { cats: { breaker: 'open' } })
  t.match(await failure(second.ask()), { code: 'BREAKER_OPEN' })
  t.equal(raw.requests.length, 2)
})

test('events of a shared client go to the latest runtime, also if the earlier one called the upstream after it', async t => {
  const heard: string[] = []
  const hear = (name: string) => ({ onBreakerChange: () => void heard.push(name) })
  const { first, next } = await generations(t, json('bad', 500), { breaker: { minimumCalls: 2 } }, hear('first'))
  const second = next(first, {}, hear('second'))
  await failure(second.ask())
  await failure(first.ask())
  t.same(heard, ['second'])
})

test('stored answers of an unchanged upstream stay, and calls of both runtimes invalidate them', async t => {
  const { raw, first, next } = await generations(t, json('kept'))
  await first.ask(first.cats.kept())
  const second = next(first)
  await second.ask(second.cats.kept())
  t.equal(raw.requests.length, 1)
  await first.ask(first.cats.put())
  await second.ask(second.cats.kept())
  t.equal(raw.requests.length, 3)
})

test('a call of earlier definitions invalidates the answers that a changed upstream of the same origin has stored', async t => {
  const { raw, first, next } = await generations(t, json('kept'))
  const second = next(first, { maxQueue: 7 })
  await second.ask(second.cats.kept())
  await first.ask(first.cats.put())
  await second.ask(second.cats.kept())
  t.equal(raw.requests.length, 3)
})

test('an adaptive limit of an unchanged upstream stays', async t => {
  const { first, next } = await generations(t, json('busy', 503), { concurrency: 'adaptive', breaker: false })
  const limitOf = ({ runtime }: typeof first) => runtime.stats()['cats']?.concurrency
  await until(async () => {
    await Promise.all(Array.from({ length: 40 }, () => failure(first.ask())))
    return (limitOf(first) as number) < 20
  })
  const limit = limitOf(first)
  const second = next(first)
  await first.runtime.close()
  t.equal(limitOf(second), limit)
})

test('a token of an unchanged upstream stays', async t => {
  const tokens = await rawUpstream(t, json({ access_token: 'abc', token_type: 'Bearer', expires_in: 600 }))
  const own = { environment: { SECRET: 's3cret' } }
  const oauth2 = { tokenUrl: `${tokens.origin}/token`, clientId: 'us', clientSecret: env('SECRET') }
  const { first, next } = await generations(t, json('well'), { auth: { oauth2 } }, own)
  await first.ask()
  const second = next(first)
  await first.runtime.close()
  await second.ask()
  t.equal(tokens.requests.length, 1)
})

test('a runtime closes the clients that only it has, and calls of its successor go on', async t => {
  const replies: (() => void)[] = []
  const { raw, first, next } = await generations(t, socket => replies.push(() => socket.write(json('late'))))
  const early = first.ask()
  await raw.asked(1)
  const second = next(first)
  const late = second.ask()
  await raw.asked(2)
  await first.runtime.close()
  t.match(await failure(first.ask()), { code: 'RUNTIME_CLOSED' })
  for (const reply of replies) reply()
  t.same(await Promise.all([early, late]), ['late', 'late'])
})

test('two equal declarations in one runtime have a client each', async t => {
  const raw = await rawUpstream(t, json('well'))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  for (const cats of [declareCats(raw.origin), declareCats(raw.origin)]) await runtime.send(testRun().ask(cats.cat()))
  t.equal(raw.connections, 2)
})
