// What JupyterLab takes for granted of a server, and a browser without one does not have.
//
// Written as a bundler would write it, like keep.js, so that nothing has to be built.

(() => {  // scripts share their names with the page and with one another
    const DOCUMENTS = '@jupyterlab/docregistry'
    const SERVICES = '@jupyterlab/services'
    const NONE = {content: {status: 'ok', comms: {}}}
    let shared = {}

    // Answers for a kernel which widgets it holds: none. JupyterLab asks before it shows the widgets
    // that a notebook has kept, and waits. JupyterLite's kernels never answer, so that an opened
    // lesson would say "Loading widget..." for ever. None is the truth: such a kernel ends with its
    // page.
    async function answer() {
        for (const {KernelConnection} of await versions(SERVICES)) {
            KernelConnection.prototype.requestCommInfo = async () => NONE
        }
    }

    // Saves a lesson in turn. JupyterLab saves by itself every few seconds, even if the last time is
    // not over, as while a slow machine starts a kernel. It would then take its own file for
    // somebody else's, and ask the learner which of the two to lose.
    async function saveInTurn() {
        for (const {Context} of await versions(DOCUMENTS)) {
            const {save} = Context.prototype
            Context.prototype.save = function () {
                const before = this.beingSaved ?? Promise.resolve()
                this.beingSaved = before.catch(() => {}).then(() => save.call(this))
                return this.beingSaved
            }
        }
    }

    // A package that JupyterLab shares with its extensions, in every version there is.
    async function versions(name) {
        const found = Object.values(shared[name] || {}).map(async version => (await version.get())())
        return Promise.all(found)
    }

    // A link to a lesson opens that lesson alone. JupyterLab would also open what was open before,
    // and start for each lesson a kernel of its own, which takes half a minute and hundreds of
    // megabytes of the learner's machine. A page that is reloaded names no lesson, and brings back
    // what it showed.
    async function openAlone({serviceManager: {workspaces}}) {
        if (!new URLSearchParams(location.search).has('path')) return
        const fetch = workspaces.fetch
        workspaces.fetch = async id => {
            workspaces.fetch = fetch  // the first time is when JupyterLab looks what was open
            return {...await workspaces.fetch(id), data: {}}
        }
    }

    const plugins = [
        {id: 'cnnbp-lite:answer', autoStart: true, activate: answer},
        {id: 'cnnbp-lite:save-in-turn', autoStart: true, activate: saveInTurn},
        {id: 'cnnbp-lite:open-alone', autoStart: true, activate: openAlone},
    ]
    window._JUPYTERLAB = window._JUPYTERLAB || {}
    window._JUPYTERLAB['cnnbp-lite'] = {
        init: scope => { shared = scope },
        get: async () => () => plugins,
    }
})()
