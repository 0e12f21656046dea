import { execFile } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import tap, { test } from 'tap'
import { startDemoUpstreams } from '../../src/demo-upstreams/index.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import type { Command } from '../../src/commands/command.ts'
import { listenAt } from '../../src/server/process/listen.ts'

const root = join(import.meta.dirname, '../..')

// Each of its tests starts processes.
tap.setTimeout(120_000)
const page = readFileSync(join(root, 'docs/command-line.md'), 'utf8')
const blocks = (language: string) =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm')), ([, code = '']) => code)

/** The arguments of a line of the page, as a shell reads them. */
function argumentsOf(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain ?? '').slice(1)
}

/** Runs the command. Resolves with its output, and with its exit code if it is not 0. */
async function headwaters(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd = root,
  stdin = '',
): Promise<{ stdout: string; stderr: string; code?: number }> {
  const running = promisify(execFile)(process.execPath, [join(root, 'src/cli.ts'), ...args], {
    env: { ...childEnvironment, ...environment },
    cwd,
  })
  running.child.stdin?.end(stdin)
  return running.catch((error: { stdout: string; stderr: string; code: number }) => error)
}

test('the definitions of the page are loaded and run', async t => {
  const [code = ''] = blocks('ts')
  const { path } = definitionsFolder(t, { 'facts.ts': code })
  const demoUpstreams = await startDemoUpstreams({ medianMs: 0 })
  t.teardown(() => demoUpstreams.close())
  const { stdout, stderr } = await headwaters(['run', 'facts', '--count', '2', '--json', path], {
    HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: demoUpstreams.origins.meowfacts,
  })
  t.equal(stderr, '')
  t.match(JSON.parse(stdout), { complete: true, data: { facts: [/\w/, /\w/] } })
})

test('each command `headwaters run` of the page prints a reply', async t => {
  const commands = blocks('sh')
    .flatMap(block => block.split('\n'))
    .filter(line => line.startsWith('headwaters run ') && !line.includes('NAME') && !line.includes('|'))
  t.equal(commands.length, 4)
  for (const command of commands) {
    const { stdout } = await headwaters(argumentsOf(command))
    t.type(JSON.parse(stdout), 'object', command)
  }
})

test('the body of the page is read from stdin, and from a file in the working directory', async t => {
  const [, body = '', command = ''] = /^echo '(.*)' \| (headwaters run .* @-)$/m.exec(page) ?? []
  const { stdout } = await headwaters(argumentsOf(command), {}, root, body)
  t.type(JSON.parse(stdout), 'object')
  const { path } = definitionsFolder(t, { 'postcard.json': body })
  const read = await headwaters(['run', 'postcard', '--body', '@postcard.json'], {}, path)
  t.type(JSON.parse(read.stdout), 'object')
})

test('the batch of the page is read from stdin, and its calls are those of the built-in upstreams', async t => {
  const [, body = '', command = ''] = /^echo '(.*)' \| (headwaters batch -)$/m.exec(page) ?? []
  const { stdout, code } = await headwaters(argumentsOf(command), {}, root, body)
  t.match(JSON.parse(stdout), { results: [{ id: 'a' }, { id: 'b' }], complete: Boolean })
  t.ok(code === undefined || code === 1, 'a demo upstream may fail')
})

test('the exit codes are those of the page', async t => {
  const cases: readonly (readonly [code: number | undefined, ...args: string[]])[] = [
    [2, 'cats'],
    [2, 'cat-facts', '--counts', '3'],
    [2, 'cat-facts', '--count', 'many'],
    [2, 'cat-facts', '--count=-1'],
    [2, 'postcard', '--body', '{}'],
    [2, 'cat-facts', 'no-such-folder'],
    [1, 'cat-facts', '--deadline', '1'],
    [1, 'breed', '--breed', 'no such breed'],
  ]
  for (const [expected, ...args] of cases) t.equal((await headwaters(['run', ...args])).code, expected, args.join(' '))
})

test('a folder is searched as the page says', async t => {
  const [code = ''] = blocks('ts')
  const { path } = definitionsFolder(t, {
    'aggregates/facts.ts': code,
    'aggregates/helper.ts': "console.error('executed helper.ts')\nexport {}",
    ...Object.fromEntries(
      ['a.cjs', 'a.cts', 'a.tsx', '.hidden.ts', 'a.test.ts', 'a.d.mts'].map(name => [
        `aggregates/${name}`,
        "throw new Error('loaded')",
      ]),
    ),
    'other/linked.ts': "throw new Error('loaded')",
  })
  symlinkSync(join(path, 'other'), join(path, 'aggregates/link'))
  const {
    stdout,
    stderr,
    code: exit,
  } = await headwaters(['completion', 'words', 'run', 'facts', 'aggregates'], {}, path)
  t.equal(exit, undefined)
  t.match(stdout, /^--count$/m)
  t.match(stderr, 'executed helper.ts', 'completion executes the modules')
  const named = await headwaters(['run', 'facts', 'aggregates/a.cts'], {}, path)
  t.equal(named.code, 2)
  t.match(named.stderr, 'is not a definitions module')
})

test('each command `headwaters openapi` of the page writes a document', async t => {
  const [code = ''] = blocks('ts')
  const commands = blocks('sh')
    .flatMap(block => block.split('\n'))
    .filter(line => /^headwaters openapi (?!\[)/.test(line))
  t.equal(commands.length, 4)
  const { path } = definitionsFolder(t, { 'aggregates/facts.ts': code, 'info.json': '{ "title": "Facts" }' })
  for (const command of commands) {
    const { stdout, stderr } = await headwaters(argumentsOf(command), {}, path)
    t.equal(stderr, '')
    t.match(
      command.includes('--out') ? readFileSync(join(path, 'openapi.yaml'), 'utf8') : stdout,
      /openapi"?: "?3\.[12]/,
    )
  }
})

test('each command `headwaters check` of the page finds no fault, and the printed text is that of the page', async t => {
  const [code = ''] = blocks('ts')
  const commands = blocks('sh')
    .flatMap(block => block.split('\n'))
    .filter(line => /^headwaters check(?! +\[)/.test(line))
  t.equal(commands.length, 3)
  const { path } = definitionsFolder(t, { 'aggregates/facts.ts': code })
  const outputs: string[] = []
  for (const command of commands) {
    const { stdout, stderr, code: exit } = await headwaters(argumentsOf(command), {}, path)
    t.same([stderr, exit], ['', undefined], command)
    outputs.push(stdout)
  }
  t.ok(outputs.some(output => blocks('text').includes(output)))
})

test('the list of fields on the page is the end of the help', async t => {
  const { stdout } = await headwaters(['run', 'breed', '--help'])
  t.ok(blocks('text').some(block => stdout.endsWith(`\n${block}`)))
})

test('the error on the page is that of a port in use', async t => {
  const inUse = async (): Promise<Error> => {
    throw Object.assign(new Error('in use'), { code: 'EADDRINUSE' })
  }
  const { message } = await listenAt({ host: '127.0.0.1', port: 3000 }, inUse).catch((fault: Error) => fault)
  t.ok(blocks('text').includes(`headwaters: ${message}\n`))
})

test('the options in the synopsis of the page are those of the commands', async t => {
  const [synopsis = ''] = blocks('sh')
  for (const name of ['serve', 'run', 'explain', 'batch', 'openapi', 'check']) {
    const { command } = (await import(`../../src/commands/${name}.ts`)) as { command: Command }
    const [line = ''] = synopsis.split('\n').filter(each => each.startsWith(`headwaters ${name} `))
    t.same(
      new Set(Array.from(line.matchAll(/--([a-z]+)/g), ([, option]) => option)),
      new Set(Object.keys(command.options).filter(option => option !== 'help')),
      name,
    )
  }
})
