import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import tap, { test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'
import { definitionsFolder, words as definition } from '../helpers/definitions-folder.ts'
import { runCommand } from '../helpers/service-process.ts'

const root = join(import.meta.dirname, '../..')

// Some forty processes load the command one after the other.
tap.setTimeout(180_000)

const options = ['--body', '--header', '--fault', '--deadline', '--json', '--stream', '--live', '--help']

/** A definitions file with an aggregate whose field `size` has these values. */
const withValues = (values: readonly string[]) =>
  definition('http://127.0.0.1:9').replace(
    'of: z.string().optional().describe',
    `size: z.enum(${JSON.stringify(values)}).optional(), of: z.string().optional().describe`,
  )

test('the words that may follow are commands, options, aggregates, their fields and values', async t => {
  const { path } = definitionsFolder(t, {
    'words.ts': withValues(['small', 'large']),
    'broken/broken.ts': 'throw new Error("no")',
  })
  const file = join(path, 'words.ts')
  for (const [given, expected] of [
    [
      [],
      [
        'serve',
        'run',
        'explain',
        'batch',
        'bulk',
        'openapi',
        'check',
        'load',
        'init',
        'completion',
        '--help',
        '--version',
      ],
    ],
    [['completion'], ['bash', 'zsh', 'fish']],
    [['serve'], ['--live', '--workers', '--watch', '--otlp', '--events', '--help']],
    [['serve', '--events'], []],
    [['serve', '--workers'], ['auto']],
    [['--watch'], ['--live', '--workers', '--watch', '--otlp', '--events', '--help']],
    [['openapi'], ['--out', '--json', '--spec', '--info', '--help']],
    [['openapi', '--out'], []],
    [['check'], ['--metrics', '--help']],
    [
      ['check', 'aggregates/'],
      ['--metrics', '--help'],
    ],
    [['nothing'], []],
    [['run'], ['cat-facts', 'breed', 'postcard', ...options]],
    [
      ['run', 'breed'],
      ['--breed', '--facts', ...options],
    ],
    [
      ['explain', 'breed'],
      ['--breed', '--facts', '--body', '--header', '--deadline', '--value', '--json', '--help'],
    ],
    // NAME comes before the files: the first word is a name, whatever it is.
    [['run', file], options],
    [['run', 'words', file, join(path, 'missing')], options],
    [['run', 'nothing', file], options],
    [
      ['run', '--live'],
      ['cat-facts', 'breed', 'postcard', ...options],
    ],
    [['run', '--of'], []],
    [['run', 'words', file, '--json', '--of'], []],
    [['run', 'words', file, '--', '--size'], options],
    [
      ['run', '--size=small', '--of', 'a', 'words', file, '-h'],
      ['--size', '--of', ...options],
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
    [['run', 'words', join(path, 'broken')], options],
  ] as const) {
    const { code, output, errors } = await runCommand(t, ['completion', 'words', ...given])
    t.equal(code, 0)
    t.equal(errors, '')
    t.same(new Set(output.split('\n').filter(Boolean)), new Set(expected), given.join(' '))
  }
})

test('only files that run would load are loaded, and their output is not a candidate', async t => {
  const { path, write } = definitionsFolder(t, {
    'order.ts': `console.log('printed'); process.stdout.write('written\\n')
${definition('http://127.0.0.1:9', { name: 'order' })}`,
  })
  const file = join(path, 'order.ts')
  const bystander = join(path, 'bystander.ts')
  const loaded = join(path, 'loaded')
  write('bystander.ts', `import { writeFileSync } from 'node:fs'\nwriteFileSync('${loaded}', '')`)
  for (const given of [
    ['order', file, '--file', bystander],
    ['order', file, '--of', bystander, '--json'],
    ['order', file, '--body', bystander],
    ['order', '--header', bystander, file],
    ['--of', bystander, 'order', file],
    [bystander, file],
    [bystander],
    ['order', file, bystander, '--deadline'],
  ]) {
    const { code, output } = await runCommand(t, ['completion', 'words', 'run', ...given])
    t.equal(code, 0)
    t.notMatch(output, /printed|written/)
    t.notOk(existsSync(loaded), given.join(' '))
  }
  const { output } = await runCommand(t, ['completion', 'words', 'run', 'order', file])
  t.same(new Set(output.split('\n').filter(Boolean)), new Set(['--of', ...options]))
})

test('a value that a line cannot hold, or that controls a terminal, is not completed', async t => {
  const { path } = definitionsFolder(t, {
    'values.ts': withValues(['one', 'two\nthree', '', 'a\u001b[2J', 'tab\tbed', 'z']),
  })
  const { output } = await runCommand(t, ['completion', 'words', 'run', 'words', path, '--size'])
  t.equal(output, 'one\nz\n')
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
COMP_WORDS=(headwaters run breed --fac); COMP_CWORD=3; _headwaters; echo "\${COMPREPLY[@]}"
COMP_WORDS=(headwaters ser); COMP_CWORD=1; _headwaters; echo "\${COMPREPLY[@]}"
`
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    cwd: root,
    encoding: 'utf8',
    env: { ...childEnvironment, NODE: process.execPath },
  })
  t.equal(stderr, '')
  t.equal(stdout, 'complete -o default -F _headwaters headwaters\n--facts\nserve\n')
})

/** Values that a shell would expand, split or run, each beside its form in bash. */
const shellValues = [
  ['$(touch PWNED)', '\\$\\(touch\\ PWNED\\)'],
  ['`touch PWNED`', '\\`touch\\ PWNED\\`'],
  ['a b', 'a\\ b'],
  ['*', '\\*'],
  ["don't", "don\\'t"],
  ['x$HOME', 'x\\$HOME'],
  ['~', '\\~'],
  ['{1,2}', '\\{1\\,2\\}'],
  ['back\\slash', 'back\\\\slash'],
] as const

test('bash runs and expands no value, and completes it quoted', t => {
  const { path } = definitionsFolder(t, { 'words.ts': withValues(shellValues.map(([value]) => value)) })
  const script = `
headwaters() { (cd "$ROOT" && "$NODE" src/cli.ts "$@"); }
source <(headwaters completion bash)
complete_word() {
  COMP_WORDS=(headwaters run words "$PWD/words.ts" --size "$1"); COMP_CWORD=5; _headwaters
  printf '%s\\n' "\${COMPREPLY[@]}"
}
complete_word ''
echo ---
complete_word '*'
complete_word 'a\\ '
complete_word '$(t'
`
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    cwd: path,
    encoding: 'utf8',
    env: { ...childEnvironment, NODE: process.execPath, ROOT: root },
  })
  t.equal(stderr, '')
  const quoted = shellValues.map(([, form]) => form)
  t.equal(stdout, [...quoted, '---', '\\*', 'a\\ b', quoted[0], ''].join('\n'))
  t.same(readdirSync(path), ['words.ts'])
  t.end()
})

test('--version prints the version, also after a command and as -v', async t => {
  for (const args of [['--version'], ['-v'], ['serve', '--version'], ['run', '-v']]) {
    const { code, output } = await runCommand(t, args)
    t.equal(code, 0)
    t.match(output, /^\d+\.\d+\.\d+\n$/, args.join(' '))
  }
})
