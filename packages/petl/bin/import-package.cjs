/** Imports a package that is no part of the bundle: scripts that V8 runs by themselves cannot. */
module.exports = (name) => import(name);
