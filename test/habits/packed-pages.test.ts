import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** The files of the package outside dist, as npm packs them. */
async function packedFiles(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    env: { ...process.env, ...childEnvironment, NODE_OPTIONS: '' },
    maxBuffer: 2 ** 24,
    shell: process.platform === 'win32',
  })
  const [packed] = Object.values(JSON.parse(stdout) as Readonly<Record<string, { readonly files: { path: string }[] }>>)
  return packed?.files.map(({ path }) => path).filter(path => !path.startsWith('dist/')) ?? []
}

test('every relative link of a packed page leads to a packed file', async t => {
  const files = await packedFiles()
  const pages = files.filter(file => file.endsWith('.md'))
  for (const page of ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/options.md'])
    t.ok(pages.includes(page), page)
  const links = pages.flatMap(page =>
    Array.from(read(page).matchAll(/\]\((?![a-z]+:|#)([^)#]+)/g), ([, target = '']) => ({
      page,
      target: join(page, '..', target).replaceAll('\\', '/'),
    })),
  )
  t.ok(links.length > 100, `${links.length} links`)
  t.same(
    links.filter(({ target }) => !files.some(file => file === target || file.startsWith(`${target}/`))),
    [],
  )
})

test('the package has no page of the reference that is built, and no configuration of the checkout', async t => {
  const allowed =
    /^(?:[A-Z_]+\.md|LICENSE|package\.json|openapi\.yaml|bench\/README\.md|docs\/[\w/-]+\.(?:md|svg|png)|examples\/[\w/-]+(?:\.test)?\.(?:md|ts)|ops\/[\w/.-]+\.(?:ya?ml|json|ts|service|conf|Dockerfile))$/
  t.same(
    (await packedFiles()).filter(file => !allowed.test(file)),
    [],
  )
})
