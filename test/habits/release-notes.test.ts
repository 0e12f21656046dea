import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { changelogSection, imageSection, obstacles, withAbsoluteLinks } from '../../tools/release-notes.ts'

const changelog = `# Changelog

## Unreleased

## 0.2.0 (2026-12-01)

### Added

- A policy ([policies](docs/policies.md)).

## 0.2.0-rc.1 (2026-11-20)

- A candidate.

## 0.1.0 (2026-11-01)

- The first release.
`
const manifest = { version: '0.2.0', repository: 'owner/name' }

test('the section of a version has all lines up to the next version', async t => {
  t.equal(changelogSection(changelog, '0.2.0'), '### Added\n\n- A policy ([policies](docs/policies.md)).')
  t.equal(changelogSection(changelog, '0.2.0-rc.1'), '- A candidate.')
  t.equal(changelogSection(changelog, '0.1.0'), '- The first release.')
})

test('a version without a section of its own has none', async t => {
  for (const version of ['0.2', '0.3.0', '', 'Unreleased']) t.equal(changelogSection(changelog, version), undefined)
  t.equal(changelogSection('## 1.0.0\n\n- No date.\n', '1.0.0'), undefined)
})

test('a tag whose version and changelog agree can be released', async t => {
  t.same(obstacles('v0.2.0', manifest, changelog), [])
})

test('each obstacle to a release is named', async t => {
  t.same(obstacles('v0.3.0', manifest, changelog), [
    'The tag is v0.3.0, and package.json has the version 0.2.0.',
    'CHANGELOG.md has no section "## 0.3.0 (YYYY-MM-DD)".',
  ])
  t.same(obstacles('0.2.0', manifest, changelog), ['The tag is 0.2.0, and package.json has the version 0.2.0.'])
  t.match(obstacles('v0.2.0', { version: '0.2.0' }, changelog), [/^package\.json has no "repository"/])
  t.same(obstacles('v0.2.0', manifest, '## Unreleased\n\n- A line.\n\n## 0.2.0 (2026-12-01)\n'), [
    'The section of 0.2.0 in CHANGELOG.md is empty.',
    '"Unreleased" in CHANGELOG.md is not empty: move its entries to the section of 0.2.0.',
  ])
})

test('the changelog of this checkout can be released once it has a heading with a version', async t => {
  const text = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8')
  const released = text.replace('## Unreleased\n', '## Unreleased\n\n## 0.2.0 (2026-12-01)\n')
  t.same(obstacles('v0.2.0', manifest, released), [])
  const section = changelogSection(released, '0.2.0') ?? ''
  const entries = (markdown: string) => markdown.split('\n').filter(line => line.startsWith('- '))
  t.ok(entries(section).length > 50)
  t.same(entries(section), entries(text.split(/^## /m)[1] as string))
})

test('relative links of the notes are absolute, and absolute links and anchors stay', async t => {
  t.equal(
    withAbsoluteLinks('[a](docs/a.md#b) [c](https://c.example/d) [e](#f)', 'https://git.example/o/r/blob/v1/'),
    '[a](https://git.example/o/r/blob/v1/docs/a.md#b) [c](https://c.example/d) [e](#f)',
  )
})

test('the release notes name the image and its bases by digest, and refuse an image without one', async t => {
  const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
  const bases = `NODE_IMAGE=node:24@${digest} RUN_IMAGE=run:1@${digest}`
  t.equal(
    imageSection(`registry.example/owner/name:0.2.0@${digest}`, bases),
    `### Image

- Image: \`registry.example/owner/name:0.2.0@${digest}\`
- Base: \`node:24@${digest}\`
- Base: \`run:1@${digest}\`
- The SBOM and the provenance of each platform are attached to the image.`,
  )
  t.throws(() => imageSection('name:0.2.0@', bases), /'name:0\.2\.0@' has no digest/)
  t.throws(() => imageSection(`name@${digest}`, ''), /'' has no digest/)
})
