import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { test } from 'tap'

/**
 * The house: each room, and what of ours it may import beside itself. A name with a slash at its end is a room with all
 * that is under it but has no line of its own. Imports run one way, so no line names a room whose own line names it.
 */
const house: Readonly<Record<string, readonly string[]>> = {
  // Leaves
  'errors.ts': [],
  'log/': [],
  'memory/': [],
  'schemas/': [],
  'demo-upstreams/': [],
  'core/': [],

  // Content: what is served and called. It uses the machine through two doors.
  'clients/': ['schemas/', 'upstream/declare.ts', 'fanout/aggregate.ts'],
  'routes/': ['clients/', 'schemas/', 'upstream/declare.ts', 'fanout/aggregate.ts'],

  // Machine: how. Each line may use those above it.
  'threads/': ['errors.ts'],
  'upstream/': ['errors.ts', 'core/', 'memory/room.ts', 'threads/'],
  'fanout/': ['errors.ts', 'core/', 'threads/', 'upstream/'],
  'http/': ['errors.ts', 'core/', 'log/', 'memory/', 'upstream/', 'fanout/'],
  'config.ts': ['errors.ts', 'core/', 'threads/', 'upstream/'],
  'app.ts': ['errors.ts', 'core/', 'upstream/', 'fanout/', 'http/'],

  // Entrances: they put the rooms together.
  'index.ts': ['errors.ts', 'core/', 'threads/', 'upstream/', 'fanout/', 'http/', 'app.ts'],
  'testing/': ['errors.ts', 'core/', 'upstream/', 'fanout/', 'demo-upstreams/'],
  'definitions/': [
    'errors.ts',
    'core/',
    'upstream/',
    'fanout/',
    'http/',
    'config.ts',
    'clients/',
    'routes/',
    'demo-upstreams/',
  ],
  'server/': ['errors.ts', 'core/', 'log/', 'upstream/', 'fanout/', 'http/', 'app.ts', 'config.ts', 'definitions/'],
  'commands/': ['errors.ts', 'core/', 'upstream/', 'fanout/', 'http/', 'definitions/', 'server/'],
  'cli.ts': ['commands/'],
}

/** The log writes to the streams of the process, and the memory of a process can be read of the process alone. */
const readers = [
  'server/serve.ts',
  'cli.ts',
  'log/output.ts',
  'log/process-log.ts',
  'log/standard-streams.ts',
  'memory/own-memory.ts',
]

interface Import {
  readonly file: string
  readonly specifier: string
  /** Gone after type stripping; `import { type A }` is not, since it still loads the module. */
  readonly isType: boolean
}

const src = join(import.meta.dirname, '../src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map(file => file.replaceAll('\\', '/'))
  .filter(file => file.endsWith('.ts'))
  .sort()
const sources = new Map(files.map(file => [file, readFileSync(join(src, file), 'utf8')]))

function importsOf(file: string, text: string): Import[] {
  const from = Array.from(
    text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?\bfrom\s+['"]([^'"]+)['"]/gm),
    ([, type, specifier = '']) => ({ file, specifier, isType: type !== undefined }),
  )
  const bare = Array.from(text.matchAll(/\bimport\s*\(?\s*['"]([^'"]+)['"]/g), ([, specifier = '']) => ({
    file,
    specifier,
    isType: false,
  }))
  return [...from, ...bare]
}

/** The room a file is in: the line of the table that fits it best. */
function roomOf(file: string): string | undefined {
  return Object.keys(house)
    .filter(room => room === file || (room.endsWith('/') && file.startsWith(room)))
    .sort((a, b) => b.length - a.length)[0]
}

function targetOf({ file, specifier }: Import): string {
  return normalize(join(dirname(file), specifier)).replaceAll('\\', '/')
}

/** Whether the table allows an import of ours. */
function isAllowed(each: Import): boolean {
  const target = targetOf(each)
  const [from, to] = [roomOf(each.file), roomOf(target)]
  if (from === undefined || to === undefined) return false
  return from === to || [target, to].some(name => (house[from] as readonly string[]).includes(name))
}

const imports = files.flatMap(file => importsOf(file, sources.get(file) as string))
const ours = imports.filter(({ specifier }) => specifier.startsWith('.'))
const shown = ({ file, specifier }: Import) => `${file} imports ${specifier}`

/** The text without comments and without what is in quotes; an expression within a template stays. */
function codeOf(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
    .replaceAll(/`(?:[^`\\]|\\.)*`/g, template => (template.match(/\$\{[^}]*\}/g) ?? []).join(' '))
}

/** A way around through value imports, or nothing. */
function cycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>()
  function walk(file: string, path: readonly string[]): string[] | undefined {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of edges.get(file) ?? []) {
      const found = walk(next, [...path, file])
      if (found !== undefined) return found
    }
    done.add(file)
    return undefined
  }
  for (const file of edges.keys()) {
    const found = walk(file, [])
    if (found !== undefined) return found
  }
  return undefined
}

test('every file is in a room of the table, and every room of the table has a file', async t => {
  t.same(
    files.filter(file => roomOf(file) === undefined),
    [],
  )
  t.same(
    Object.keys(house).filter(room => !files.some(file => roomOf(file) === room)),
    [],
  )
})

test('the table runs one way', async t => {
  const edges = new Map(
    Object.entries(house).map(([room, allowed]) => {
      const [parent] = Object.keys(house).filter(
        other => other !== room && other.endsWith('/') && room.startsWith(other),
      )
      // What a room inside a room may import of it are leaves, which the cycles among files below look after.
      return [room, allowed.map(name => roomOf(name) as string).filter(name => name !== room && name !== parent)]
    }),
  )
  t.equal(cycle(edges), undefined)
})

test('rooms import only what the table allows them', async t => {
  t.same(ours.filter(each => !isAllowed(each)).map(shown), [])
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
  ]
  for (const [file, specifier] of refused)
    t.notOk(isAllowed({ file, specifier, isType: true }), `${file} may not import ${specifier}`)
})

test('an import of ours names its file with .ts, and that file is there', async t => {
  t.same(ours.filter(each => !each.specifier.endsWith('.ts') || !sources.has(targetOf(each))).map(shown), [])
})

test('what is not ours is of Node, by its node: name, or declared as a dependency', async t => {
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

test('no modules import each other in a circle', async t => {
  const edges = new Map(
    files.map(file => [file, ours.filter(each => each.file === file && !each.isType).map(targetOf)]),
  )
  t.equal(cycle(edges), undefined)
  t.same(
    cycle(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
    ['b', 'c', 'b'],
    'a circle would be seen',
  )
})

test('only the server, the log, the commands and the memory of the process read the process', async t => {
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
