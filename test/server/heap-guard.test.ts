import tap, { test, type Test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { startService } from '../helpers/service-process.ts'
import { until } from '../helpers/until.ts'

const sizes = [96, 256, 512, 1024]

// Most of the time the services of the sizes wait.
tap.jobs = sizes.length
tap.setTimeout(120_000)

interface Reply {
  readonly complete?: boolean
  readonly code?: string
  readonly sources?: { readonly extra: { readonly code?: string } }
}

/**
 * A service with an aggregate that keeps something for ever at each request; the signal SIGWINCH makes it let go of
 * all.
 */
async function keeping(t: Test, megabytes: number, keep: string) {
  const { path } = definitionsFolder(t, {
    'keeping.mjs': `
    import { aggregate } from 'headwaters'
    import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
    import { runInNewContext } from 'node:vm'
    import { z } from 'zod'
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc')
    // A large list is in a space of young ones until a collection has moved it.
    const oldSpace = () => getHeapSpaceStatistics()
      .filter(({ space_name: name }) => /old|large_object|code|trusted/.test(name))
      .reduce((sum, space) => sum + space.space_used_size, 0)
    let kept = []
    process.on('SIGWINCH', () => { kept = [] })
    const query = z.object({ percent: z.coerce.number().default(0) })
    export const keeping = aggregate('keeping', { url: '/keeping', deadline: 60_000, query })
      .required('keep', ({ query: { percent } }) => {
        ${keep}
        return kept.length
      })
      .optional('extra', () => 'there', { fallback: 'left out' })
      .reply(z.number(), ({ keep }) => keep)
  `,
  })
  // How late the loop of a crowded machine is, and how full its memory, does not matter here.
  const service = await startService(t, { MAX_LOOP_DELAY_MS: '0', MAX_MEMORY_PERCENT: '0' }, ['serve', path], {
    node: [`--max-old-space-size=${megabytes}`],
  })
  const ask = async (percent = 0) => {
    const answer = await fetch(`${service.origin}/keeping?percent=${percent}`)
    const { complete, code, sources } = (await answer.json()) as Reply
    return answer.status === 200 && complete === true ? 'whole' : answer.status === 200 ? sources?.extra.code : code
  }
  return { ...service, ask }
}

for (const megabytes of sizes) {
  test(
    `with an old space of ${megabytes} MB what is optional is left out from 56 % on, requests ` +
      'are refused from 70 % on, and both end when the memory is free',
    { timeout: 120_000, buffered: true },
    async t => {
      // Keeps lists, of a hundredth of the old space each, until a percentage of it is alive.
      const { stop, ask, log } = await keeping(
        t,
        megabytes,
        `if (percent > 0) collect()
        while (oldSpace() < percent * ${(megabytes * 2 ** 20) / 100})
          kept.push(new Array(${(megabytes * 10_000) / 8}).fill(0.5))`,
      )
      /** Fills the old space up to a percentage, and returns the answers from there on, until one is the last. */
      const answersAt = async (percent: number, last: string) => {
        const answers = new Set([await ask(percent)])
        // How soon the level is known depends on how long a collection takes on this machine.
        await until(async () => answers.has(last) || answers.add(await ask()).has(last), {
          withinMs: 60_000,
          seen: () => [...answers],
          everyTurn: true,
        })
        return [...answers]
      }
      t.same(await answersAt(48, 'whole'), ['whole'])
      t.match((await answersAt(63, 'SHED')).join(), /^(?:whole,)?SHED$/)
      t.match((await answersAt(78, 'OVERLOADED')).join(), /^(?:SHED,)?OVERLOADED$/)
      stop('SIGWINCH')
      await until(async () => (await ask()) === 'whole', { withinMs: 60_000 })
      t.equal(log.filter(({ msg }) => msg.includes('listening')).length, 1, 'the service has not started again')
    },
  )
}

test('a service whose module leaks refuses requests and lives', { timeout: 120_000 }, async t => {
  const { origin, ask } = await keeping(
    t,
    96,
    'for (let count = 0; count < 400; count++) kept.push({ count, list: [count], text: `number ${kept.length}` })',
  )
  const counts: Record<string, number> = {}
  await until(
    async () => {
      for (const answer of await Promise.all(Array.from({ length: 8 }, ask)))
        counts[String(answer)] = (counts[String(answer)] ?? 0) + 1
      return (counts['OVERLOADED'] ?? 0) >= 500
    },
    { withinMs: 100_000, seen: () => counts, everyTurn: true },
  )
  t.equal((await fetch(`${origin}/health/ready`)).status, 200)
})

test(
  'no request is refused for dead objects, though they fill the old space again and again',
  { timeout: 120_000 },
  async t => {
    // A list of this length is allocated in the old generation at once.
    const { ask } = await keeping(
      t,
      96,
      'for (let lists = 0; lists < 2; lists++) new Array(100_000).fill(0.5); if (kept.length < 5) kept.push(new Array(100_000).fill(0.5))',
    )
    const answers = new Set()
    // Requests of one turn of the loop fill the space between a collection of V8 and the reading after it.
    for (let times = 0; times < 80; times++) for (const answer of await Promise.all([ask(), ask()])) answers.add(answer)
    t.same([...answers], ['whole'])
  },
)

test(
  'an offloaded function that fills the heap of its thread ends the thread, and the process goes on',
  { timeout: 120_000 },
  async t => {
    const { path } = definitionsFolder(t, {
      'filling.mjs': `
      import { aggregate, offload } from 'headwaters'
      import { z } from 'zod'
      const fill = offload(new URL('./fill.js', import.meta.url), 'fill')
      export const filling = aggregate('filling', { url: '/filling', deadline: 60_000 })
        .required('fill', () => fill({}))
        .reply(z.number(), ({ fill }) => fill)
      export const other = aggregate('other', { url: '/other' }).reply(z.number(), () => 1)
    `,
      'package.json': '{ "type": "module" }',
      'fill.js': 'export function fill () { const kept = []; for (;;) kept.push(new Array(100_000).fill(0.5)) }',
    })
    const { origin } = await startService(t, { MAX_LOOP_DELAY_MS: '0' }, ['serve', `${path}/filling.mjs`], {
      node: ['--max-old-space-size=96'],
    })
    const answer = await fetch(`${origin}/filling`)
    t.equal(answer.status, 500)
    t.match(await answer.json(), { code: 'INTERNAL' })
    t.equal((await fetch(`${origin}/other`)).status, 200)
  },
)
