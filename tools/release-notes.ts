import { readFileSync } from 'node:fs'

/** The fields of package.json that a release needs. */
export interface Manifest {
  readonly version: string
  readonly repository?: unknown
}

/**
 * Returns the section of a version in a changelog, without its heading.
 *
 * @param changelog The text of CHANGELOG.md, with a heading `## 1.2.3 (2026-12-01)` per version.
 * @param version The version, without a `v`.
 * @returns The section, or `undefined` if the changelog has no section for this version.
 */
export function changelogSection(changelog: string, version: string): string | undefined {
  const section = changelog
    .split(/^## /m)
    .slice(1)
    .find(text => /^\S+ \(\d{4}-\d\d-\d\d\)$/.test(headingOf(text)) && text.startsWith(`${version} `))
  return section?.slice(headingOf(section).length).trim()
}

function headingOf(section: string): string {
  return section.split('\n', 1)[0] as string
}

/**
 * Returns the reasons why a tag cannot be released.
 *
 * @param tag The tag: `v` followed by the version.
 * @param manifest The content of package.json.
 * @param changelog The text of CHANGELOG.md.
 * @returns One sentence per reason, or an empty list if the tag can be released.
 */
export function obstacles(tag: string, manifest: Manifest, changelog: string): string[] {
  const version = tag.replace(/^v/, '')
  const section = changelogSection(changelog, version)
  const unreleased = /^## Unreleased\n([^]*?)(?=^## |$(?![^]))/m.exec(changelog)?.[1]?.trim() ?? ''
  return [
    tag !== `v${manifest.version}` && `The tag is ${tag}, and package.json has the version ${manifest.version}.`,
    manifest.repository === undefined &&
      'package.json has no "repository", which `npm publish --provenance` requires: see docs/releasing.md.',
    section === undefined && `CHANGELOG.md has no section "## ${version} (YYYY-MM-DD)".`,
    section === '' && `The section of ${version} in CHANGELOG.md is empty.`,
    unreleased !== '' && `"Unreleased" in CHANGELOG.md is not empty: move its entries to the section of ${version}.`,
  ].filter(reason => reason !== false)
}

/**
 * Makes the relative links of a text absolute, because a page of release notes is not in a folder of the repository.
 *
 * @param markdown The text.
 * @param base The URL of the folder of the text. It ends with a slash.
 */
export function withAbsoluteLinks(markdown: string, base: string): string {
  return markdown.replaceAll(/\]\((?![a-z]+:|#)([^)]+)\)/g, (_, target: string) => `](${new URL(target, base).href})`)
}

/**
 * Returns the section of the release notes about the image.
 *
 * @param image The image with its digest, such as `registry/name:1.2.3@sha256:…`.
 * @param bases The base images with their digests, as `tools/image/bases.sh` prints them.
 * @throws Error if an image has no digest.
 */
export function imageSection(image: string, bases: string): string {
  const images = [image, ...bases.split(' ').map(each => each.slice(each.indexOf('=') + 1))]
  const without = images.find(each => !/@sha256:[\da-f]{64}$/.test(each))
  if (without !== undefined) throw new Error(`The image '${without}' has no digest.`)
  return [
    '### Image',
    '',
    ...images.map((each, at) => `- ${at === 0 ? 'Image' : 'Base'}: \`${each}\``),
    '- The SBOM and the provenance of each platform are attached to the image.',
  ].join('\n')
}

if (import.meta.main) {
  const [tag = '', base, image, bases = ''] = process.argv.slice(2)
  const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
  const changelog = read('CHANGELOG.md')
  const reasons = obstacles(tag, JSON.parse(read('package.json')) as Manifest, changelog)
  if (reasons.length > 0) {
    console.error(reasons.join('\n'))
    process.exit(1)
  }
  const notes = changelogSection(changelog, tag.replace(/^v/, '')) as string
  console.log(base === undefined ? notes : withAbsoluteLinks(notes, base))
  if (image !== undefined) console.log(`\n${imageSection(image, bases)}`)
}
