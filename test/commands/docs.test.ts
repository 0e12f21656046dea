import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { startDemoUpstreams } from '../../src/demo-upstreams/index.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import type { Command } from '../../src/commands/command.ts'
import { listenAt } from '../../src/server/process/listen.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/command-line.md'), 'utf8')
const blocks = (language: string) =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm')), ([, code = '']) => code)

/** The arguments of a line of the page, as a shell reads them. */
function argumentsOf(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain ?? '').slice(1)
}

/** Runs the command. Resolves with its output, also if it fails. */
async function headwaters(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd = root,
): Promise<{ stdout: string; stderr: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env
  return promisify(execFile)(process.execPath, [join(root, 'src/cli.ts'), ...args], {
    env: { ...env, ...environment },
    cwd,
  }).catch((error: { stdout: string; stderr: string }) => error)
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
  t.equal(commands.length, 3)
  for (const command of commands) {
    const { stdout } = await headwaters(argumentsOf(command))
    t.type(JSON.parse(stdout), 'object', command)
  }
})

test('each command `headwaters openapi` of the page writes a document', async t => {
  const [code = ''] = blocks('ts')
  const commands = blocks('sh')
    .flatMap(block => block.split('\n'))
    .filter(line => /^headwaters openapi (?!\[)/.test(line))
  t.equal(commands.length, 3)
  const { path } = definitionsFolder(t, { 'aggregates/facts.ts': code, 'info.json': '{ "title": "Facts" }' })
  for (const command of commands) {
    const { stdout, stderr } = await headwaters(argumentsOf(command), {}, path)
    t.equal(stderr, '')
    t.match(command.includes('--out') ? readFileSync(join(path, 'openapi.yaml'), 'utf8') : stdout, /openapi"?: "?3\.1/)
  }
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
  for (const name of ['serve', 'run', 'openapi']) {
    const { command } = (await import(`../../src/commands/${name}.ts`)) as { command: Command }
    const [line = ''] = synopsis.split('\n').filter(each => each.startsWith(`headwaters ${name} `))
    t.same(
      new Set(Array.from(line.matchAll(/--([a-z]+)/g), ([, option]) => option)),
      new Set(Object.keys(command.options).filter(option => option !== 'help')),
      name,
    )
  }
})
