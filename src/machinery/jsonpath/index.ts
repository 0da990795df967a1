export { evaluatePath } from './evaluate.js';
export { JsonPathError, type PathNode, parsePath } from './parse.js';
