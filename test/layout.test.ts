import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'tap'
import {
  cycleOfFiles,
  cycleOfRooms,
  forbiddenImports,
  importsOf,
  isAllowed,
  isOurs,
  roomOf,
  targetOf,
  type House,
  type Import,
} from './helpers/imports.ts'

/**
 * The house: each room, and what it may import beside itself. Imports run one way, type imports included, from rooms
 * further down in this table to rooms above them.
 */
const house: House = {
  // Leaves
  'check-node.ts': [],
  'errors.ts': [],
  'log/': ['core/'],
  'memory/': [],
  'schemas/': [],
  'demo-upstreams/': [],
  'core/': [],
  'trace/': ['core/'],
  'client/': [],
  'metrics/': ['errors.ts', 'core/'],
  'waterfall/': [],
  'dashboard/protocol.ts': ['waterfall/'],
  'dashboard/page.ts': [],

  // The page of the dashboard: code of the browser.
  'dashboard/': ['dashboard/protocol.ts', 'waterfall/'],

  // Content: what is served and called. It uses the machine through two doors.
  'clients/': ['schemas/', 'upstream/declare.ts', 'fanout/aggregate.ts'],
  'routes/': ['clients/', 'schemas/', 'upstream/declare.ts', 'fanout/aggregate.ts'],

  // Threads
  'threads/': ['errors.ts'],

  // One call to an upstream
  'upstream/spec/': ['errors.ts', 'core/', 'threads/'],
  'upstream/call/': ['errors.ts', 'core/', 'trace/', 'metrics/', 'upstream/spec/'],
  'upstream/connect/': ['errors.ts', 'core/', 'upstream/spec/'],
  'upstream/transport/': [
    'errors.ts',
    'core/',
    'trace/',
    'memory/room.ts',
    'upstream/spec/',
    'upstream/call/',
    'upstream/connect/',
  ],
  'upstream/auth/': [
    'errors.ts',
    'core/',
    'upstream/spec/',
    'upstream/call/',
    'upstream/connect/',
    'upstream/transport/',
  ],
  'upstream/origins/': [
    'errors.ts',
    'core/',
    'metrics/',
    'upstream/spec/',
    'upstream/call/',
    'upstream/connect/',
    'upstream/transport/',
  ],
  'upstream/policies/sliding-window.ts': [],
  'upstream/policies/retry/': [
    'errors.ts',
    'core/',
    'upstream/spec/',
    'upstream/call/',
    'upstream/policies/sliding-window.ts',
  ],
  'upstream/policies/breaker/': [
    'errors.ts',
    'core/',
    'upstream/spec/',
    'upstream/call/',
    'upstream/policies/sliding-window.ts',
  ],
  'upstream/policies/bulkhead/': ['errors.ts', 'core/', 'upstream/spec/', 'upstream/call/'],
  'upstream/policies/hedge/': [
    'errors.ts',
    'core/',
    'metrics/',
    'upstream/spec/',
    'upstream/call/',
    'upstream/policies/retry/',
  ],
  'upstream/policies/custom/': ['errors.ts', 'core/', 'upstream/spec/', 'upstream/call/'],
  'upstream/policies/key-batch/': ['errors.ts', 'core/', 'upstream/spec/', 'upstream/call/'],
  'upstream/policies/': [
    'errors.ts',
    'core/',
    'trace/',
    'metrics/',
    'upstream/spec/',
    'upstream/call/',
    'upstream/policies/retry/',
  ],
  'upstream/policies/cache/': [
    'errors.ts',
    'core/',
    'upstream/spec/',
    'upstream/call/',
    'upstream/transport/',
    'upstream/policies/hedge/',
    'upstream/policies/',
  ],
  'upstream/': ['errors.ts', 'core/', 'metrics/', 'threads/', 'upstream/**'],

  // State that replicas share on Redis
  'redis-config.ts': ['core/'],
  'redis/commands/': ['errors.ts', 'core/'],
  'redis/cache/': ['errors.ts', 'core/', 'redis/commands/', 'upstream/**'],
  'redis/limits/': ['errors.ts', 'core/', 'redis/commands/', 'upstream/**'],
  'redis/': ['check-node.ts', 'core/', 'redis/commands/', 'redis/cache/', 'redis/limits/', 'upstream/**'],
  'redis/serve/': ['core/', 'redis-config.ts', 'redis/', 'redis/commands/', 'upstream/**'],

  // Spans: the only room that loads OpenTelemetry
  'otel/': ['errors.ts', 'core/', 'trace/', 'metrics/', 'upstream/spec/', 'upstream/call/'],

  // Many calls that become one reply
  'fanout/chain.ts': ['upstream/**'],
  'fanout/inference.ts': ['core/', 'upstream/**', 'fanout/chain.ts'],
  'fanout/step-args.ts': ['core/'],
  'fanout/offload/': [
    'errors.ts',
    'core/',
    'threads/',
    'upstream/',
    'fanout/chain.ts',
    'fanout/inference.ts',
    'fanout/step-args.ts',
  ],
  'fanout/': ['errors.ts', 'core/', 'trace/', 'metrics/', 'threads/', 'upstream/**', 'fanout/**', 'otel/'],

  // Calls of a caller that become one reply
  'batch/': ['errors.ts', 'core/', 'trace/', 'metrics/', 'upstream/**', 'fanout/**', 'otel/'],

  // One aggregate for many stored inputs
  'bulk/': ['errors.ts', 'core/', 'upstream/**', 'fanout/**', 'batch/'],
  'bulk/disk/': ['bulk/'],
  'bulk/queue/': ['core/', 'redis-config.ts', 'redis/commands/', 'redis/serve/', 'bulk/'],

  // What the operator sees of runs, of aggregates and of the whole service
  'kept/': ['errors.ts', 'log/', 'core/', 'metrics/', 'upstream/**', 'fanout/**', 'waterfall/'],
  'explain/': ['errors.ts', 'core/', 'trace/', 'upstream/**', 'fanout/**'],
  'overview/': ['errors.ts', 'core/', 'metrics/', 'waterfall/', 'dashboard/protocol.ts'],

  // Requests and replies
  'http/metrics/': ['errors.ts', 'metrics/'],
  'http/routing/': ['errors.ts', 'core/'],
  'http/request/': ['errors.ts', 'core/', 'trace/'],
  'http/connection/': ['errors.ts', 'core/'],
  'http/log/': ['errors.ts', 'core/', 'trace/', 'log/', 'otel/', 'upstream/**', 'http/request/'],
  'http/reply/': [
    'errors.ts',
    'core/',
    'trace/',
    'upstream/**',
    'otel/',
    'fanout/**',
    'http/request/',
    'http/connection/',
    'http/log/',
    'http/metrics/',
  ],
  'http/problems/': ['errors.ts', 'core/', 'log/', 'http/connection/', 'http/log/', 'http/reply/', 'http/metrics/'],
  'http/stream/': [
    'errors.ts',
    'core/',
    'trace/',
    'metrics/',
    'upstream/**',
    'fanout/**',
    'otel/',
    'http/request/',
    'http/connection/',
    'http/log/',
    'http/metrics/',
    'http/reply/',
    'http/problems/',
  ],
  'http/bodies/': ['errors.ts', 'core/', 'upstream/**', 'http/request/', 'http/connection/'],
  'http/guard/': [
    'errors.ts',
    'core/',
    'memory/',
    'fanout/route.ts',
    'http/request/',
    'http/connection/',
    'http/log/',
    'http/metrics/',
    'http/reply/',
    'http/problems/',
    'http/bodies/',
  ],
  'http/batch/': [
    'errors.ts',
    'core/',
    'trace/',
    'metrics/',
    'upstream/**',
    'fanout/**',
    'otel/',
    'batch/',
    'http/request/',
    'http/connection/',
    'http/routing/',
    'http/log/',
    'http/metrics/',
    'http/reply/',
    'http/problems/',
    'http/stream/',
    'http/bodies/',
    'http/guard/',
  ],
  'http/bulk/': [
    'errors.ts',
    'core/',
    'metrics/',
    'redis-config.ts',
    'upstream/**',
    'fanout/**',
    'bulk/**',
    'http/request/',
    'http/connection/',
    'http/routing/',
    'http/reply/',
    'http/guard/',
  ],
  'http/lifecycle/': [
    'errors.ts',
    'core/',
    'metrics/',
    'upstream/**',
    'http/routing/',
    'http/connection/',
    'http/log/',
    'http/problems/',
    'http/guard/',
  ],
  'http/operator/': [
    'errors.ts',
    'core/',
    'metrics/',
    'upstream/**',
    'fanout/**',
    'explain/',
    'http/request/',
    'http/routing/',
    'http/connection/',
    'http/log/',
    'http/problems/',
    'http/guard/',
    'http/reply/',
    'http/lifecycle/',
  ],
  'http/openapi/info.ts': ['core/'],
  'http/openapi/': [
    'errors.ts',
    'core/',
    'upstream/**',
    'fanout/**',
    'batch/',
    'http/routing/',
    'http/reply/',
    'http/request/media-types.ts',
    'http/batch/batch-route.ts',
    'http/bulk/bulk-route.ts',
    'http/openapi/info.ts',
  ],
  'http/explorer/': ['http/routing/', 'http/reply/', 'http/guard/'],
  'http/': [
    'errors.ts',
    'core/',
    'metrics/',
    'log/',
    'memory/',
    'upstream/**',
    'fanout/**',
    'batch/',
    'http/**',
    'trace/',
    'kept/',
    'explain/',
    'waterfall/',
  ],

  'config/': ['errors.ts', 'core/', 'redis-config.ts', 'upstream/**', 'log/'],
  'config.ts': ['errors.ts', 'redis-config.ts', 'threads/', 'upstream/**', 'http/openapi/info.ts', 'config/'],
  'app/': [
    'errors.ts',
    'core/',
    'metrics/',
    'upstream/**',
    'fanout/**',
    'batch/',
    'bulk/',
    'http/**',
    'kept/',
    'explain/',
  ],
  'app.ts': ['check-node.ts', 'core/', 'metrics/', 'upstream/**', 'fanout/**', 'bulk/', 'http/**', 'app/'],
  'admin/': [
    'errors.ts',
    'core/',
    'metrics/',
    'waterfall/',
    'dashboard/protocol.ts',
    'dashboard/page.ts',
    'kept/',
    'explain/',
    'overview/',
    'http/**',
  ],

  // Entrances: they put the rooms together.
  'index.ts': [
    'check-node.ts',
    'errors.ts',
    'core/',
    'metrics/',
    'trace/',
    'threads/',
    'upstream/**',
    'fanout/**',
    'batch/',
    'http/**',
    'app.ts',
  ],
  'testing/': ['check-node.ts', 'errors.ts', 'core/', 'upstream/**', 'fanout/**', 'demo-upstreams/'],
  'definitions/': [
    'errors.ts',
    'core/',
    'upstream/**',
    'fanout/**',
    'batch/',
    'http/**',
    'config.ts',
    'clients/',
    'routes/',
    'demo-upstreams/',
  ],
  'server/process/': [
    'errors.ts',
    'core/',
    'log/',
    'metrics/',
    'upstream/**',
    'redis-config.ts',
    'redis/serve/',
    'bulk/**',
    'batch/',
    'http/**',
    'app.ts',
    'admin/',
    'config/',
    'config.ts',
    'definitions/',
    'waterfall/',
    'dashboard/protocol.ts',
    'kept/',
    'explain/',
    'overview/',
  ],
  'server/cluster/': [
    'errors.ts',
    'core/',
    'log/',
    'metrics/',
    'upstream/**',
    'batch/',
    'http/**',
    'app.ts',
    'config.ts',
    'definitions/',
    'server/process/',
    'waterfall/',
    'dashboard/protocol.ts',
    'kept/',
    'explain/',
    'overview/',
    'admin/',
  ],
  'server/': [
    'errors.ts',
    'core/',
    'log/',
    'metrics/',
    'upstream/**',
    'fanout/**',
    'batch/',
    'http/**',
    'app.ts',
    'config.ts',
    'definitions/',
    'server/**',
    'waterfall/',
    'dashboard/protocol.ts',
    'kept/',
    'explain/',
    'overview/',
    'admin/',
  ],
  'otel/otlp/': ['config.ts'],
  'commands/usage-error.ts': [],
  'commands/read-arguments.ts': ['core/', 'commands/usage-error.ts'],
  'commands/run/': [
    'errors.ts',
    'core/',
    'log/',
    'upstream/**',
    'fanout/**',
    'batch/',
    'commands/usage-error.ts',
    'waterfall/',
  ],
  'commands/bulk/': [
    'errors.ts',
    'core/',
    'upstream/**',
    'fanout/**',
    'bulk/**',
    'definitions/',
    'commands/usage-error.ts',
    'commands/run/',
  ],
  'commands/load/': ['core/', 'commands/usage-error.ts', 'commands/read-arguments.ts', 'commands/run/'],
  'commands/': [
    'errors.ts',
    'core/',
    'trace/',
    'log/',
    'upstream/**',
    'fanout/**',
    'bulk/**',
    'batch/',
    'http/**',
    'config.ts',
    'definitions/',
    'otel/otlp/',
    'server/**',
    'commands/**',
    'waterfall/',
    'explain/',
  ],
  'cli.ts': ['commands/'],
}

/** The log writes to the streams of the process, and the memory of a process can be read of the process alone. */
const readers = [
  'check-node.ts',
  'server/serve.ts',
  'server/process/service-app.ts',
  'server/process/reload-signal.ts',
  'server/process/shutdown.ts',
  'server/cluster/primary.ts',
  'server/cluster/own-worker-options.ts',
  'server/cluster/worker-main.ts',
  'definitions/start-folder.ts',
  'cli.ts',
  'log/output.ts',
  'log/process-log.ts',
  'log/standard-streams.ts',
  'memory/own-memory.ts',
  'bulk/disk/process-identity.ts',
  'metrics/readings.ts',
]

const src = join(import.meta.dirname, '../src')
const files = sourcesIn(src)
const sources = new Map(files.map(file => [file, readFileSync(join(src, file), 'utf8')]))
const imports = files.flatMap(file => importsOf(file, sources.get(file) as string))
const ours = imports.filter(isOurs)
const shown = ({ file, specifier }: Import) => `${file} imports ${specifier}`

/** Returns the paths of the TypeScript files in a folder, with `/` between folders. */
function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => file.endsWith('.ts'))
    .sort()
}

/** The text without comments and without what is in quotes; an expression within a template stays. */
function codeOf(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
    .replaceAll(/`(?:[^`\\]|\\.)*`/g, template => (template.match(/\$\{[^}]*\}/g) ?? []).join(' '))
}

test('every file is in a room of the table, and every room of the table has a file', async t => {
  t.same(
    files.filter(file => roomOf(house, file) === undefined),
    [],
  )
  t.same(
    Object.keys(house).filter(room => !files.some(file => roomOf(house, file) === room)),
    [],
  )
})

test('the table runs one way', async t => {
  t.equal(cycleOfRooms(house), undefined)
  t.same(cycleOfRooms({ 'a/': ['b/'], 'b/': ['c.ts'], 'c.ts': ['b/inner/x.ts'], 'b/inner/': ['b/'] }), [
    'b/',
    'c.ts',
    'b/inner/',
    'b/',
  ])
  t.same(cycleOfRooms({ 'a/': ['b/**'], 'b/': [], 'b/inner/': ['a/'] }), ['a/', 'b/inner/', 'a/'])
})

test('rooms import only what the table allows them', async t => {
  t.same(forbiddenImports(house, sources), [])
  t.ok(ours.length > 100, 'imports were found')
})

test('the table refuses what would break it', async t => {
  const refused: readonly (readonly [string, string])[] = [
    ['errors.ts', './app.ts'],
    ['schemas/cat-fact.ts', '../errors.ts'],
    ['clients/wikipedia.ts', '../upstream/call/call.ts'],
    ['clients/wikipedia.ts', '../routes/index.ts'],
    ['routes/cat-facts.ts', '../fanout/run.ts'],
    ['routes/cat-facts.ts', '../errors.ts'],
    ['core/abort.ts', '../upstream/runtime.ts'],
    ['upstream/client.ts', '../fanout/run.ts'],
    ['fanout/run.ts', '../http/lifecycle/health.ts'],
    ['http/lifecycle/health.ts', '../../config.ts'],
    ['app.ts', './routes/index.ts'],
    ['demo-upstreams/index.ts', '../errors.ts'],
    // Rooms inside of rooms
    ['upstream/spec/options.ts', '../call/call.ts'],
    ['upstream/spec/options.ts', '../runtime.ts'],
    ['upstream/call/call.ts', '../transport/exchange.ts'],
    ['upstream/connect/dial.ts', '../auth/access.ts'],
    ['upstream/transport/transport.ts', '../auth/authorize.ts'],
    ['upstream/transport/exchange.ts', '../policies/breaker/breaker.ts'],
    ['upstream/policies/retry/retry.ts', '../breaker/circuit.ts'],
    ['upstream/policies/observe.ts', './cache/cache.ts'],
    ['fanout/offload/offload.ts', '../run.ts'],
    ['http/reply/reply-task.ts', '../guard/pressure.ts'],
    ['http/problems/problem-body.ts', '../plugin.ts'],
    ['client/types.ts', '../errors.ts'],
    ['fanout/run.ts', '../batch/result.ts'],
    ['batch/result.ts', '../http/reply/write-reply.ts'],
    ['http/reply/reply-task.ts', '../stream/event-id.ts'],
    ['http/lifecycle/drain.ts', '../stream/event-id.ts'],
    ['http/stream/event-id.ts', '../batch/batch-options.ts'],
    ['server/cluster/workers.ts', '../serve.ts'],
    ['http/guard/pressure.ts', '../../admin/admin-app.ts'],
    ['admin/admin-app.ts', '../config.ts'],
    ['admin/admin-app.ts', '../server/process/listen.ts'],
    ['commands/run/live-view.ts', '../serve.ts'],
    ['upstream/runtime.ts', '../redis/redis-state.ts'],
    ['redis/limits/members.ts', '../cache/redis-cache-store.ts'],
    ['commands/run/live-view.ts', '../load/options.ts'],
    ['commands/load/options.ts', '../../server/serve.ts'],
  ]
  for (const [file, specifier] of refused)
    t.notOk(isAllowed(house, { file, specifier }), `${file} may not import ${specifier}`)
})

test('a type import against the direction is refused, whichever way it is written', async t => {
  const texts = [
    `import type { Run } from '../../fanout/run.ts'\n`,
    `import { type Run } from '../../fanout/run.ts'\n`,
    `import {\n  type Run,\n  type RunOptions,\n} from '../../fanout/run.ts'\n`,
    `import type * as run from '../../fanout/run.ts'\n`,
    `export type { Run } from '../../fanout/run.ts'\n`,
    `export type * from '../../fanout/run.ts'\n`,
    `type Run = import('../../fanout/run.ts').Run\n`,
  ]
  for (const text of texts)
    t.same(
      forbiddenImports(house, new Map([['upstream/call/call.ts', text]])),
      ['upstream/call/call.ts imports ../../fanout/run.ts'],
      text,
    )
  t.same(
    forbiddenImports(
      house,
      new Map([
        ['fanout/run.ts', `import type { Call } from '../upstream/call/call.ts'\n`],
        ['upstream/call/call.ts', `import type { Upstream } from '../spec/spec.ts'\n`],
        ['upstream/spec/spec.ts', `import type { Call } from '../call/call.ts'\n`],
      ]),
    ),
    ['upstream/spec/spec.ts imports ../call/call.ts'],
    'only the import from the inner room against the direction',
  )
})

test('an import in the example of a docstring is not one of its file', async t => {
  const example = `/**\n * @example\n * import { run } from '../../fanout/run.ts'\n */\n`
  const code = `import { freeze } from '../../core/freeze.ts'\n\n/** Does it. */\nexport const now = 1\n`
  t.same(importsOf('upstream/call/call.ts', example + code), [
    { file: 'upstream/call/call.ts', specifier: '../../core/freeze.ts' },
  ])
})

test('a relative import names an existing file with its extension .ts', async t => {
  t.same(ours.filter(each => !each.specifier.endsWith('.ts') || !sources.has(targetOf(each))).map(shown), [])
})

test('each foreign import is a node: module or a declared dependency', async t => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(src, '../package.json'), 'utf8')) as Record<
    'dependencies' | 'peerDependencies',
    Record<string, string>
  >
  const foreign = imports.filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
  t.same(
    foreign.filter(({ specifier }) => !Object.hasOwn({ ...dependencies, ...peerDependencies }, specifier)).map(shown),
    [],
  )
})

test('no modules import each other in a circle, by types or by values', async t => {
  t.equal(cycleOfFiles(sources), undefined)
  t.same(
    cycleOfFiles(
      new Map([
        ['a.ts', `import { b } from './b.ts'\n`],
        ['b.ts', `import { c } from './inner/c.ts'\nexport const b = c\n`],
        ['inner/c.ts', `import type { B } from '../b.ts'\nexport const c: B = 1\n`],
      ]),
    ),
    ['b.ts', 'inner/c.ts', 'b.ts'],
    'a circle is found although one of its imports is of a type',
  )
})

test('only the server, the log, the commands, the start folder and the memory of the process read the process', async t => {
  const isReader = (text: string) =>
    /(?<![.\w$])process\b(?!\s*[:(]|\.nextTick\b)|(?<=globalThis\.)process\b/.test(codeOf(text)) ||
    /['"](?:node:)?process['"]/.test(text)
  t.same(
    files.filter(
      file => !readers.includes(file) && !file.startsWith('commands/') && isReader(sources.get(file) as string),
    ),
    [],
  )
  for (const file of readers) t.ok(isReader(sources.get(file) as string), `${file} does`)
  t.notOk(isReader("// the process ends\nconst a = 'process.env'"), 'words in comments and quotes do not count')
})

test('no file is named for being of use', async t => {
  t.same(
    files.filter(file => /\b(?:utils?|helpers?|managers?|misc|common|base|impl)\b/i.test(basename(file, '.ts'))),
    [],
  )
})

/** Files of data, and of lines whose errors are expected by directives above them: their lines may be of any length. */
const longLines: readonly string[] = [
  'src/demo-upstreams/data/articles.ts',
  'src/demo-upstreams/data/breeds.ts',
  'test/hostile/patterns/catalogue.ts',
  'test/types/wrong-declarations.ts',
]

/** Whether a line is one regular expression, which cannot be split. */
const isExpression = (line: string) => /^\s*\/.+\/[a-z]*[,;)]*$/.test(line)

test('no line of src is longer than 120 columns, and no line of test and bench longer than 140', async t => {
  for (const [folder, limit] of [
    ['src', 120],
    ['test', 140],
    ['bench', 140],
  ] as const) {
    const root = join(src, '..', folder)
    const long = sourcesIn(root)
      .filter(file => !longLines.includes(`${folder}/${file}`))
      .flatMap(file =>
        readFileSync(join(root, file), 'utf8')
          .split('\n')
          .flatMap((line, index) =>
            line.length > limit && !isExpression(line)
              ? [`${folder}/${file}:${index + 1} has ${line.length} columns`]
              : [],
          ),
      )
    t.same(long, [])
  }
})
