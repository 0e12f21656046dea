import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { requestsRoutes, requestsUrl } from '../../src/admin/requests-routes.ts'
import { projectFiles } from '../../src/commands/init/project-files.ts'
import { serveAdminApp } from '../admin/helpers/served-admin-app.ts'
import { keptRuns } from '../helpers/ended-run.ts'
import { serveApp } from '../helpers/served-app.ts'
import { blocksOf, pages, placeOf, root, type Block } from './helpers/pages.ts'
import { readJsonBlock } from './helpers/json-blocks.ts'
import { commandsOf, shellFaults, type ShellContext } from './helpers/shell-blocks.ts'
import { textFaults } from './helpers/text-blocks.ts'
import { inRoot, typeErrors } from './helpers/typescript-blocks.ts'

const blocks = pages.flatMap(page => blocksOf(page))

const sources = ['src', 'test']
  .flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts') && !name.startsWith('pages'))
      .map(name => readFileSync(join(root, folder, name), 'utf8')),
  )
  .map(spaceless)

/** The files that `headwaters init` writes. */
const starterFiles = Array.from(projectFiles('shop', '0.1.0').values())

/** Removes what a formatter decides. */
function spaceless(code: string): string {
  return code.replaceAll(/\s+/g, '').replaceAll(/,(?=[)\]}])/g, '')
}

/** True for a part of an expression, which is no program by itself. */
const isPart = (code: string) => /^[{.]/.test(code)

/** Returns the fault of a part of an expression that does not stand in the sources as the page shows it. */
function partFaults(code: string): string[] {
  const text = spaceless(code).replace(/,$/, '')
  return sources.some(source => source.includes(text)) ? [] : ['a part of an expression that is not in the sources']
}

/** Returns the fault of a block that is not a part of the file that its fence names. */
function fileFaults(file: string, code: string): string[] {
  if (!existsSync(join(root, file))) return [`there is no file ${file}`]
  return spaceless(readFileSync(join(root, file), 'utf8')).includes(spaceless(code)) ? [] : [`it is not in ${file}`]
}

/**
 * Returns the faults of blocks, each with the place of its block. A block is checked by its language:
 *
 * - `ts` is type-checked against the sources; a part of an expression must stand in the sources
 * - `sh` uses programs, scripts, options, variables and paths that exist
 * - `json` has the type of a value that the service sends, and the codes and titles of the table of errors
 * - `text` is printed by the code, or names folders and codes that exist
 * - a block whose fence names a file of the checkout, such as `yaml compose.yaml`, is a part of that file
 *
 * A block of another language, or without one, is a fault.
 */
async function blockFaults(t: Test, of: readonly Block[], request: ShellContext['request']): Promise<string[]> {
  const faults: string[] = []
  const typed: Block[] = []
  const add = (block: Block, found: readonly string[]) =>
    faults.push(...found.map(fault => `${placeOf(block)}: ${fault}`))
  for (const block of of) {
    const { page, language, file, code } = block
    if (language === 'ts' && isPart(code)) add(block, partFaults(code))
    else if (language === 'ts') typed.push(block)
    else if (language === 'sh') {
      const ofPage = of.filter(each => each.page === page)
      const starter = ofPage.some(each => each.code.includes('headwaters init')) ? starterFiles : []
      const declared = [...starter, ...ofPage.filter(each => each.language === 'ts').map(each => each.code)]
      const declaredPaths = declared.flatMap(text =>
        Array.from(text.matchAll(/\burl: '([^']+)'/g), ([, url = '']) => url),
      )
      for (const words of commandsOf(code)) add(block, await shellFaults(words, { request, declaredPaths }))
    } else if (language === 'json') {
      const { faults: found, type } = readJsonBlock(code)
      add(block, found)
      if (type !== undefined) typed.push({ ...block, code: `export const shown: ${inRoot(type)} =\n${code}` })
    } else if (language === 'text') add(block, await textFaults(code))
    else if (file !== undefined) add(block, fileFaults(file, code))
    else add(block, ['no check for this language'])
  }
  return [...faults, ...(await typeErrors(t.testdir({}), typed))]
}

async function contextOf(t: Test): Promise<ShellContext['request']> {
  const { origin } = await serveApp(t, { metrics: { key: 'a-key-that-no-block-has' } })
  const store = keptRuns()
  const routes = [requestsRoutes({ find: async id => store.find(id), list: async filter => store.list(filter) }, {})]
  const admin = await serveAdminApp(t, { routes })
  return (path, init) => fetch((path.startsWith(requestsUrl) ? admin.origin : origin) + path, init)
}

test('every block of code of the pages is type-checked, or compared with what the code takes and prints', async t => {
  t.ok(blocks.length > 30, `${blocks.length} blocks`)
  t.same(await blockFaults(t, blocks, await contextOf(t)), [])
})

/** A page with one block of each fence, as text. */
const fenced = (fence: string, code: string) => `Text.\n\n\`\`\`${fence}\n${code}\n\`\`\`\n`

const problem = {
  type: 'urn:headwaters:problem:not-found',
  title: 'Not found',
  status: 404,
  detail: 'There is no such path.',
  code: 'NOT_FOUND',
  instance: 'urn:headwaters:request:1',
}
const reply = { data: {}, complete: true, sources: { meow: { state: 'ok', ms: 1, attempts: 1 } } }

test('a block that is wrong, or of a kind that has no check, is found', async t => {
  const request = await contextOf(t)
  const wrong: readonly (readonly [fence: string, code: string, fault: RegExp])[] = [
    ['', 'npm start', /no check for this language/],
    ['yaml', 'port: 3000', /no check for this language/],
    ['yaml compose.yaml', 'port: 3000', /it is not in compose\.yaml/],
    ['yaml none.yaml', 'port: 3000', /there is no file none\.yaml/],
    ['ts', "defineUpstream('a', { orgin: 'http://a' }, {})", /orgin/],
    ['ts a.ts', "import { defineUpstreams } from 'headwaters'", /defineUpstreams/],
    ['ts', "{ fault: 'a fault that no test has' },", /not in the sources/],
    ['sh', 'npm run strat', /no script strat/],
    ['sh', 'npm run bench -- --fanout 5', /has no --fanout/],
    ['sh', 'npm run bench --fanouts 5', /lacks --/],
    ['sh', 'npm start -- --worker 2', /headwaters serve has no --worker/],
    ['sh', 'headwaters sreve', /no command sreve/],
    ['sh', 'headwaters load http://127.0.0.1:3000/ --rates 5', /headwaters load has no --rates/],
    ['sh', 'headwaters run cat-facts --counts 3 | jq .', /headwaters run has no --counts/],
    ['sh', 'headwaters run cats', /no aggregate cats/],
    ['sh', 'source <(headwaters completion tcsh)', /no such shell/],
    ['sh', 'HEADWATERS_UPSTREAM_TEA_SLOTS=3 npm start', /no variable HEADWATERS_UPSTREAM_TEA_SLOTS/],
    ['sh', "npm ci && curl 'http://127.0.0.1:3000/v1/cats'", /is answered with 404/],
    ['sh', "curl 'http://127.0.0.1:3000/v1/cat-facts?count=many'", /is answered with 400/],
    [
      'sh',
      "curl -N -H 'accept: application/x-ndjson' 'http://127.0.0.1:3000/health/live'",
      /is answered with application/,
    ],
    ['sh', "curl -k 'http://127.0.0.1:3000/v1/cat-facts'", /no check for the option -k/],
    ['sh', "curl -X POST -d '{}' 'http://127.0.0.1:3000/v1/cat-facts'", /is answered with 405/],
    ['sh', 'node bench/none.ts', /no file bench\/none.ts/],
    ['sh', 'terraform apply', /no check for the program terraform/],
    ['sh', 'docker run --env MAX_RUN=5 headwaters', /no variable MAX_RUN/],
    ['sh', 'kubectl apply --kustomize ops/kubernetes/none', /there is no file ops\/kubernetes\/none/],
    ['json', '{ "a": 1 }', /no check for JSON like this/],
    ['json', '{ a: 1 }', /JSON/],
    ['json', JSON.stringify({ ...problem, status: 400 }), /status must be 404/],
    ['json', JSON.stringify({ ...problem, code: 'GONE' }), /no code GONE/],
    ['json', JSON.stringify({ ...problem, more: 1 }), /more\W+ does not exist/],
    ['json', JSON.stringify({ ...reply, complete: false }), /complete must be true/],
    [
      'json',
      JSON.stringify({ ...reply, sources: { meow: { ...reply.sources.meow, took: 1 } } }),
      /took\W+ does not exist/,
    ],
    ['text', 'Listening.', /no check for a text like this/],
    ['text', 'open loop, 200/s with 100 connections', /not in the report/],
    ['text', 'step state 0 800 ms\nmeow done ━━ │ 1 2', /not in a waterfall/],
    ['text', 'cats received GET /fact, for which nothing is queued', /not in the error of a call/],
    ['text', 'Fields of breed\n  --breeds string', /not in the fields/],
    [
      'text',
      'headwaters: cannot listen at 127.0.0.1:3000: the port is taken (EADDRINUSE)',
      /not in a failure to listen/,
    ],
    ['text', '├ run ──► UPSTREAM_GONE in upstream/none', /UPSTREAM_GONE/],
    ['text', '{"event":"plan","steps":[]}', /the last event must be/],
    ['text', '{"event":"reply","status":200,"body":{},"cookies":[]}', /reply has no field cookies/],
    ['text', 'id: 1\nevent: plan\ndata: {"event":"plan"}', /1 is not the id of an event/],
    ['text', 'core/   leaf\nnone/   leaf', /not in a tree of folders: none/],
  ]
  const found = await blockFaults(
    t,
    wrong.flatMap(([fence, code], at) => blocksOf(`page-${at}.md`, fenced(fence, code))),
    request,
  )
  for (const [at, [fence, code, fault]] of wrong.entries())
    t.match(found.filter(each => each.startsWith(`page-${at}.md:3 `)).join('\n'), fault, `${fence}: ${code}`)
})

test('a fence in a list, and one that holds a shorter fence, is read as one block', t => {
  const indented = blocksOf('page.md', '- One.\n\n  ```sh\n  npm start\n    more\n  ```\n')
  t.match(indented, [{ line: 3, language: 'sh', file: undefined, code: 'npm start\n  more\n' }])
  t.match(blocksOf('page.md', '````md\n```ts a.ts\n```\n````\n'), [{ language: 'md', code: '```ts a.ts\n```\n' }])
  t.end()
})

test('a shell block is read as commands without comments, continuations and targets', t => {
  t.same(commandsOf("A=1 npm ci && curl 'http://a/b?c=d' > out.json # it\nbash <(x y)\nnpm \\\n  start | jq .\n"), [
    ['A=1', 'npm', 'ci'],
    ['curl', 'http://a/b?c=d'],
    ['bash'],
    ['x', 'y'],
    ['npm', 'start'],
    ['jq', '.'],
  ])
  t.end()
})
