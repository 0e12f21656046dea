import { readFileSync } from 'node:fs'
import { test } from 'tap'

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
const manifest = JSON.parse(read('package.json')) as Record<
  'dependencies' | 'peerDependencies' | 'devDependencies',
  Readonly<Record<string, string>>
>

/** The packages in the first column of the table under a heading. */
function listed(heading: string): string[] {
  const [, section = ''] = read('docs/dependencies.md').split(`\n## ${heading}\n`)
  const rows = (section.split('\n## ')[0] as string).matchAll(/^\| ([^|]+) \|/gm)
  return Array.from(rows, ([, cell = '']) =>
    Array.from(cell.matchAll(/`([^`/]+|@[^`]+)`/g), ([, name]) => name as string),
  )
    .flat()
    .sort()
}

const peers = Object.keys(manifest.peerDependencies)

for (const [heading, packages] of [
  ['At run time', Object.keys(manifest.dependencies)],
  ['Peer', peers],
  ['For development', Object.keys(manifest.devDependencies).filter(name => !peers.includes(name))],
] as const) {
  test(`the page about dependencies has a reason for each package: ${heading}`, t => {
    t.same(
      listed(heading),
      packages.toSorted((a, b) => (a < b ? -1 : 1)),
    )
    t.end()
  })
}

test('all dependencies are pinned exactly', t => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))
    t.match(version, /^\d+\.\d+\.\d+$/, name)
  t.end()
})
