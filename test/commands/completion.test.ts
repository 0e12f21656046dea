import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'
import { definitionsFolder, words as definition } from '../helpers/definitions-folder.ts'
import { runCommand } from '../helpers/service-process.ts'

const root = join(import.meta.dirname, '../..')

test('the words that may follow are commands, options, aggregates, their fields and values', async t => {
  const { path } = definitionsFolder(t, {
    'words.ts': definition('http://127.0.0.1:9').replace(
      'of: z.string().optional().describe',
      "size: z.enum(['small', 'large']).optional(), of: z.string().optional().describe",
    ),
    'broken/broken.ts': 'throw new Error("no")',
  })
  const file = join(path, 'words.ts')
  const options = ['--body', '--header', '--deadline', '--json', '--live', '--help']
  for (const [given, expected] of [
    [[], ['serve', 'run', 'openapi', 'load', 'completion', '--help', '--version']],
    [['completion'], ['bash', 'zsh', 'fish']],
    [['serve'], ['--live', '--workers', '--watch', '--help']],
    [['serve', '--workers'], ['auto']],
    [['--watch'], ['--live', '--workers', '--watch', '--help']],
    [['openapi'], ['--out', '--json', '--info', '--help']],
    [['openapi', '--out'], []],
    [['nothing'], []],
    [['run'], ['cat-facts', 'breed', 'postcard', ...options]],
    [
      ['run', 'breed'],
      ['--breed', '--facts', ...options],
    ],
    [
      ['run', file],
      ['words', ...options],
    ],
    [
      ['run', 'words', file, '--of', 'a'],
      ['--size', '--of', ...options],
    ],
    [
      ['run', 'words', file, '--size'],
      ['small', 'large'],
    ],
    [['run', 'words', file, '--header'], []],
    [['run', join(path, 'broken')], options],
  ] as const) {
    const { code, output, errors } = await runCommand(t, ['completion', 'words', ...given])
    t.equal(code, 0)
    t.equal(errors, '')
    t.same(new Set(output.split('\n').filter(Boolean)), new Set(expected), given.join(' '))
  }
})

test('each shell has a script, and another name is refused with the names', async t => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, output } = await runCommand(t, ['completion', shell])
    t.equal(code, 0)
    t.match(output, 'headwaters completion words')
  }
  for (const args of [['completion'], ['completion', 'powershell'], ['completion', 'bash', 'more']]) {
    const { code, errors } = await runCommand(t, args)
    t.equal(code, 2)
    t.match(errors, /^headwaters: completion needs the name of a shell: bash, zsh or fish/)
  }
})

test('the script completes in bash', async t => {
  const script = `
headwaters() { "$NODE" src/cli.ts "$@"; }
source <(headwaters completion bash)
complete -p headwaters
COMP_WORDS=(headwaters run breed --fa); COMP_CWORD=3; _headwaters; echo "\${COMPREPLY[@]}"
COMP_WORDS=(headwaters ser); COMP_CWORD=1; _headwaters; echo "\${COMPREPLY[@]}"
`
  const { PATH } = process.env
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH, NODE: process.execPath },
  })
  t.equal(stderr, '')
  t.equal(stdout, 'complete -o default -F _headwaters headwaters\n--facts\nserve\n')
})

test('--version prints the version, also after a command and as -v', async t => {
  for (const args of [['--version'], ['-v'], ['serve', '--version'], ['run', '-v']]) {
    const { code, output } = await runCommand(t, args)
    t.equal(code, 0)
    t.match(output, /^\d+\.\d+\.\d+\n$/, args.join(' '))
  }
})
