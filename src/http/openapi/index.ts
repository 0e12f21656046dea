export { openapiDocument, type OpenapiDocument, type OpenapiOptions } from './document.ts'
export { openapiYaml } from './yaml.ts'
