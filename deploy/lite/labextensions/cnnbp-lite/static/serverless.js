// What JupyterLab takes for granted of a server, and a browser without one does not have.
//
// Written as a bundler would write it, like keep.js, so that nothing has to be built.

(() => {  // scripts share their names with the page and with one another
    const SERVICES = '@jupyterlab/services'
    const NONE = {content: {status: 'ok', comms: {}}}
    let shared = {}

    // Answers for a kernel which widgets it holds: none. JupyterLab asks before it shows the widgets
    // that a notebook has kept, and waits. JupyterLite's kernels never answer, so that an opened
    // lesson would say "Loading widget..." for ever. None is the truth: such a kernel ends with its
    // page.
    async function answer() {
        for (const version of Object.values(shared[SERVICES] || {})) {
            const {KernelConnection} = (await version.get())()
            KernelConnection.prototype.requestCommInfo = async () => NONE
        }
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
        {id: 'cnnbp-lite:open-alone', autoStart: true, activate: openAlone},
    ]
    window._JUPYTERLAB = window._JUPYTERLAB || {}
    window._JUPYTERLAB['cnnbp-lite'] = {
        init: scope => { shared = scope },
        get: async () => () => plugins,
    }
})()
