import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate, createRuntime, defineUpstream, fanOut, operation, Problem } from '../../src/index.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { rest } from '../helpers/turn.ts'
import { declaredFunctions, unlistedInterfaces } from './functions/declared.ts'
import { asyncWays, positions, type Staged } from './functions/positions.ts'
import { misbehaving, ways, type Way } from './functions/ways.ts'

const upstreamOf = (t: Parameters<typeof httpUpstream>[0]) =>
  httpUpstream(t, ({ request, response, json }) => {
    if (request.url === '/ok') response.setHeader('cache-control', 'max-age=60')
    if (request.url === '/no-store') response.setHeader('cache-control', 'no-store')
    json(
      request.url === '/token' ? { access_token: 'token', token_type: 'Bearer' } : { ok: true },
      request.url === '/fail' ? 500 : 200,
    )
  })

/** What a run comes to, in the service where it has options of its own, else by itself. */
async function outcomeOf(
  { aggregate: one, run, app }: Staged,
  runtime: ReturnType<typeof createRuntime>,
): Promise<string> {
  if (app !== undefined) {
    const served = buildApp([one], { ...app, runtime })
    const { statusCode } = await served.inject('/one')
    const ready = await served.inject('/health/ready')
    await served.close()
    return statusCode === 200 && ready.statusCode === 200 ? 'ok' : `${statusCode}, ready ${ready.statusCode}`
  }
  try {
    const { complete } = await fanOut(one, { query: {} }, { ...run, runtime })
    return complete ? 'ok' : 'partial'
  } catch (error) {
    return error instanceof Problem ? error.code : `not a problem: ${String(error)}`
  }
}

test('every option that is a function has its line in the table', async t => {
  const lines = Object.keys(positions)
  t.same(
    declaredFunctions().filter(name => !lines.includes(name)),
    [],
    'add a line to functions/positions.ts',
  )
  t.same(unlistedInterfaces(), [], 'add the interface to functions/declared.ts')
})

for (const [position, { stage, expected }] of Object.entries(positions)) {
  test(`${position}: however it goes wrong, only its own run hears of it`, async t => {
    const { origin } = await upstreamOf(t)
    const well = aggregate('well', { url: '/well', deadline: 20_000 })
      .required('it', () =>
        defineUpstream(
          'well',
          { origin, attemptTimeout: 20_000 },
          { ask: operation({ path: '/ok', output: z.object({ ok: z.boolean() }) }) },
        ).ask(),
      )
      .reply(z.object({ ok: z.boolean() }), ({ it }) => it)
    const uncaught: unknown[] = []
    const hear = (reason: unknown) => {
      uncaught.push(reason)
    }
    process.on('unhandledRejection', hear)
    t.teardown(() => process.off('unhandledRejection', hear))

    const isSchema = position.includes('schema')
    await Promise.all(
      (Object.keys(ways) as Way[])
        .filter(way => !isSchema || !asyncWays.includes(way))
        .map(async way => {
          const right = expected(way)
          const isSlow = way === 'never settles' && ['partial', 'DEADLINE_EXCEEDED', 'UPSTREAM_TIMEOUT'].includes(right)
          const staged = stage(misbehaving(way) as () => never, origin, isSlow)
          const runtime = createRuntime(staged.runtime)
          const outcome = await outcomeOf(staged, runtime)
          if (right === 'any') t.notMatch(outcome, /^not a problem/, way)
          else t.equal(outcome, right, way)
          if (staged.app === undefined && staged.runtime?.lookup === undefined) {
            t.match(await fanOut(well, {}, { runtime }), { data: { ok: true } }, `${way}: other calls go on`)
          }
          await rest()
          for (const { active, queued } of Object.values(runtime.stats()))
            t.same({ active, queued }, { active: 0, queued: 0 }, `${way}: no permit is held`)
          await runtime.close()
        }),
    )
    await rest()
    t.same(uncaught, [], 'nothing is left that ends the process')
  })
}
