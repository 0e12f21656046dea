import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { startDemoUpstreams } from '../../src/demo-upstreams/index.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/command-line.md'), 'utf8')
const blocks = (language: string) =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm')), ([, code = '']) => code)

/** Runs the command as a shell would; a failure is an answer too. */
async function headwaters(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ stdout: string; stderr: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env
  return promisify(execFile)(process.execPath, [join(root, 'src/cli.ts'), ...args], {
    env: { ...env, ...environment },
  }).catch((error: { stdout: string; stderr: string }) => error)
}

test('the definitions that the page shows are loaded and run', async t => {
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

test('the commands that the page shows run as they stand', async t => {
  const commands = blocks('sh')
    .flatMap(block => block.split('\n'))
    .filter(line => line.startsWith('headwaters run ') && !line.includes('NAME') && !line.includes('|'))
  t.equal(commands.length, 3)
  for (const command of commands) {
    const words = Array.from(command.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain ?? '')
    const { stdout } = await headwaters(words.slice(1))
    t.type(JSON.parse(stdout), 'object', command)
  }
})
