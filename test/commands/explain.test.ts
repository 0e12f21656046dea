import { test } from 'tap'
import type { Explanation } from '../../src/explain/explanation.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { runCommand } from '../helpers/service-process.ts'

test('the command prints what a run would send, and the variables that set limits', async t => {
  const { code, output, errors } = await runCommand(
    t,
    ['explain', 'breed', '--breed', 'siamese', '--deadline', '300'],
    {
      HEADWATERS_UPSTREAM_THE_CAT_API_CONCURRENCY: '16',
      MAX_RUNS: '100',
    },
  )
  t.equal(errors, '')
  t.equal(code, 0)
  t.match(output, 'GET /v1/breeds/search?q=siamese')
  t.match(output, 'deadline 300 ms (caller)')
  t.match(output, '    concurrency 16 (HEADWATERS_UPSTREAM_THE_CAT_API_CONCURRENCY)')
  t.match(output, '  MAX_RUNS 100 (set)')
  t.notMatch(output, '\x1b')
})

test('with --json the command prints one document, and --value gives a step its value', async t => {
  const { code, output } = await runCommand(
    t,
    ['explain', 'breed', '--json', '--value', 'found=[{"id":"siam","name":"Siam"}]'],
    { HEADWATERS_WORKERS: '4' },
  )
  t.equal(code, 0)
  const { steps, upstreams } = JSON.parse(output) as Explanation
  t.same(
    steps.flatMap(({ calls }) => calls.map(({ path }) => path)),
    [
      '/v1/breeds/search?q={params.breed}',
      '/v1/images/search?breed_ids=siam&limit=1',
      '/api/rest_v1/page/summary/Siam',
      '/facts?limit=3',
    ],
  )
  t.match(upstreams['wikipedia']?.limits, [{ name: 'concurrency', value: 16, whole: 64, reducedBy: '1 of 4 workers' }])
})

test('the command without a name lists the aggregates, and --help lists the fields', async t => {
  const list = await runCommand(t, ['explain'])
  t.match(list.output, 'breed  GET /v1/breeds/{breed}\n  fields: breed, [facts]\n')
  const json = await runCommand(t, ['explain', '--json'])
  t.match(JSON.parse(json.output), { aggregates: [{ name: 'cat-facts' }] })
  t.match((await runCommand(t, ['explain', 'breed', '--help'])).output, /Usage: headwaters explain[^]*Fields of breed/)
})

test('wrong arguments and a wrong input end the command with 2, and the message says what is wrong', async t => {
  for (const [args, message] of [
    [['brede'], "unknown aggregate 'brede': did you mean 'breed'?"],
    [['breed', '--bred', 'x'], "no field --bred: did you mean '--breed'?"],
    [['breed', '--value', 'found'], '--value must be STEP=JSON'],
    [['breed', '--value', 'fond=1'], "has no step 'fond': did you mean 'found'?"],
    [['breed', '--value', 'found={'], '--value found must be JSON'],
    [['cat-facts', '--count', '99'], '--count: Too big'],
    [['breed', 'none.ts'], "explain: no such file or folder: 'none.ts'"],
  ] as const) {
    const { code, errors, output } = await runCommand(t, ['explain', ...args])
    t.equal(code, 2, args.join(' '))
    t.match(errors, message)
    t.equal(output, '')
  }
  const json = await runCommand(t, ['explain', 'cat-facts', '--count', '99', '--json'])
  t.match(JSON.parse(json.output), { code: 'INPUT_INVALID' })
  t.equal(json.code, 2)
})

test('definitions are explained with a message of their errors and without their secrets', async t => {
  const { path } = definitionsFolder(t, {
    'aggregates.mjs': `
import { aggregate, defineUpstream, env, operation } from 'headwaters'
import { z } from 'zod'
console.log('a line of the definitions')
const api = defineUpstream('api', { origin: 'https://a.example', auth: { query: 'api_key', secret: env('API_SECRET') } }, {
  get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.unknown() }),
})
export const odd = aggregate('odd', { url: '/odd', query: z.object({ id: z.string() }) })
  .context(() => { throw new Error('context was called') })
  .required('it', ({ query }) => api.get({ id: query.id }))
  .required('failed', ({ query }) => { throw new TypeError('no ' + query.id) })
  .reply(z.unknown(), () => 1)
`,
  })
  const secret = 'a-Secret-0123456789'
  const { code, output, errors } = await runCommand(t, ['explain', 'odd', path, '--id', secret], { API_SECRET: secret })
  t.equal(code, 0)
  t.match(output, 'GET /[redacted]?api_key=[redacted]')
  t.match(output, /cannot be shown: its function failed: TypeError: no \[redacted\]\s+at/)
  t.match(output, 'aggregates.mjs:11')
  t.match(output, ' 1 context()\n     not run: its calls are not known')
  t.match(errors, 'a line of the definitions')
  t.notMatch(output + errors, secret)
  const unset = await runCommand(t, ['explain', 'odd', path])
  t.equal(unset.code, 2)
  t.match(unset.errors, 'API_SECRET')
})
